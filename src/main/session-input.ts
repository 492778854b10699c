/** What a session with hosts is opened with. */
import type { SessionWish } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { HostFiles, View } from '../plan/view.ts';
import type { Ui } from '../ui/output.ts';
import type { OperatorSide } from './operator-side.ts';
import type { Process } from './process.ts';

export interface SessionInput {
  readonly cluster: Cluster;
  readonly wish: SessionWish;
  readonly desired: Readonly<Record<string, HostFiles>>;
  /** What other states of the cluster want. */
  readonly render?: View['render'] | undefined;
  /** What other versions want, for verbs that change the version. */
  readonly atVersion?: View['atVersion'] | undefined;
  readonly operator: OperatorSide;
  readonly ui: Ui;
  readonly process: Process;
  readonly acceptNewHostKeys: boolean;
  /** What was run, for the lock: no secrets. */
  readonly command: string;
  /** Whether plans show the content of new files too. */
  readonly verbose: boolean;
  /** For what hosts write. */
  readonly redact: (text: string) => string;
}
