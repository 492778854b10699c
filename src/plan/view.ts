/** Everything that a planner looks at: values only. */
import type { Cluster } from '../domain/cluster.ts';
import type { Facts } from '../domain/facts.ts';
import type { PkiView } from '../domain/pki-view.ts';
import type { Plan } from '../domain/plan.ts';
import type { FilePut } from '../domain/step.ts';
import type { Identity } from '../domain/verdict.ts';
import { sha256 } from './hash.ts';

/** What the inventory wants to stand on one host. */
export interface HostFiles {
  /** Configuration, unit, scripts: sorted by path. */
  readonly files: readonly FilePut[];
  /** What the one start with `new` runs from, below /run. */
  readonly bootstrapFiles: readonly FilePut[];
}

export interface View {
  readonly cluster: Cluster;
  readonly facts: Facts;
  readonly pki: PkiView;
  /** Computed from the token once there is one. */
  readonly identity: Identity | undefined;
  /** By controller name. */
  readonly desired: Readonly<Record<string, HostFiles>>;
  /** sha256 of the release tarball by architecture, as far as the inventory or the lock file say. */
  readonly checksums: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What is wanted of another version of etcd, with `etcd` over the inventory's keys. Absent where nobody asks. */
  readonly atVersion?: (
    version: string,
    etcd: Readonly<Record<string, unknown>>,
  ) => Pick<View, 'cluster' | 'desired' | 'checksums'>;
  /** What another state of this cluster wants, for ways that have several. Absent where nobody asks. */
  readonly render?: (cluster: Cluster) => View['desired'];
}

/** What every plan of `verb` begins with. */
export function planBase({ cluster }: View, verb: string): Omit<Plan, 'stages' | 'reasons'> {
  const { name, settingsText, warnings } = cluster;
  return { verb, cluster: name, inventoryHash: sha256(settingsText), warnings };
}
