import type { IssuedLeaves, OperatorPort, Release, ReleaseName } from '../apply/ports.ts';
import { clientTrust } from '../domain/pki-view.ts';
import type { Plan } from '../domain/plan.ts';
import type { Step } from '../domain/step.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { takeHashes } from '../observe/hashes.ts';
import { openAdmin } from '../pki/admin.ts';
import type { PkiContext } from '../pki/context.ts';
import { systemEntropy } from '../pki/entropy.ts';
import { openFileStore } from '../pki/file-store.ts';
import { issueMembers } from '../pki/members.ts';
import type { PkiSnapshot } from '../pki/snapshot.ts';
import { loadPki } from '../pki/state.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';
import { certificateProofs } from './certificate-proofs.ts';
import { askVersions, withClients } from './member-clients.ts';
import { type OperatorInput, performerOf, type StepsInput } from './operator-steps.ts';

/** Everything that happens with the operator. */
export interface OperatorSide {
  /** The public side of the PKI, read anew. */
  pki(): Promise<PkiSnapshot>;
  /** The operator's certificate for etcd; undefined while the store has none. @throws QuorateError refused without identity */
  credentialsIfAny(): Promise<TlsMaterial | undefined>;
  /** sha256 of release tarballs by architecture, as far as they are known; of the cluster's version or another one. */
  checksums(version?: string): Readonly<Record<string, string>>;
  /** Opens what the plan will need, before anything starts: a missing identity is refused here. */
  prepare(plan: Plan): Promise<void>;
  port(connections: ReadonlyMap<string, Connection>): OperatorPort;
}

export function operatorSide(input: OperatorInput): OperatorSide {
  const { cluster, releases } = input;
  const store = openFileStore(cluster.stateDir);
  const pki = (): Promise<PkiSnapshot> => loadPki(store);
  const context = async (): Promise<PkiContext> => {
    const { identity } = await pki();
    return {
      store,
      custody: await input.custody(),
      policy: cluster.pki,
      uuid: identity?.uuid ?? '',
      entropy: systemEntropy,
      now: input.process.now,
      who: input.process.who,
    };
  };
  const credentialsIfAny = async (): Promise<TlsMaterial | undefined> => {
    const snapshot = await pki();
    if (snapshot.admin === undefined || snapshot.admin === '') return undefined;
    const admin = await openAdmin({ store, custody: await input.custody() });
    return { ca: clientTrust(snapshot), cert: admin.certificate, key: admin.key };
  };
  return {
    pki,
    credentialsIfAny,
    checksums: (version) => releases.checksums(version),
    prepare: async (plan) => {
      if (!needsKeys(plan)) return;
      for (const warning of (await input.custody()).warnings) input.warn(warning);
    },
    port: (connections) => portOf({ ...input, connections, store, pki, context, credentialsIfAny }),
  };
}

function needsKeys(plan: Plan): boolean {
  const kinds = [
    'authority.make',
    'authority.succeed',
    'authority.renew',
    'authority.import',
    'certificate.accept',
    'admin.key',
    'revocation.refresh',
    'admin.issue',
    'cert.issue',
    'cluster.await',
    'cluster.prove',
    'revocation.prove',
    'version.check',
  ];
  return plan.stages.some((stage) => stage.steps.some((step) => kinds.includes(step.kind)));
}

function portOf(input: Omit<StepsInput, 'proveCertificates' | 'keep'>): OperatorPort {
  const { releases } = input;
  const fetched = new Map<string, Promise<Release>>();
  const proveCertificates = certificateProofs({ ...input, now: input.process.now });
  const keep = (name: ReleaseName, release: Release): void => {
    fetched.set(releaseKey(name), Promise.resolve(release));
  };
  // All hosts are given the same one, which is read once.
  const release = (name: ReleaseName): Promise<Release> => {
    const found = fetched.get(releaseKey(name)) ?? releases.fetch(name, AbortSignal.timeout(30 * 60_000));
    fetched.set(releaseKey(name), found);
    return found;
  };
  return {
    perform: performerOf({ ...input, proveCertificates, keep }),
    issue: async (steps, view) => issueAll(steps, view, await input.context()),
    pki: () => input.pki(),
    prove: (members, view, signal) => proveCertificates({ members, view, signal, refusals: false }),
    versions: (members, _view, signal) => askVersions(input, members, signal),
    hashes: (members, _view, signal) => withClients(input, members, { signal, use: takeHashes }),
    release,
    downloadScript: (name, target) => releases.downloadScript(name, target),
  };
}

function releaseKey({ version, architecture }: ReleaseName): string {
  return `${version} ${architecture}`;
}

async function issueAll(
  steps: readonly Step<'cert.issue'>[],
  view: View,
  context: PkiContext,
): Promise<Readonly<Record<string, IssuedLeaves>>> {
  const requests = steps.flatMap((step) =>
    step.leaves.map(({ purpose, authority }) => {
      const controller = view.cluster.controllers.find((each) => each.name === step.member);
      const publicKey = view.facts.hosts[step.member]?.texts[`${step.directory}/${purpose}.pub`];
      if (controller === undefined || publicKey === undefined) {
        throw new Error(`${step.member} shows no public key for ${purpose}`);
      }
      return { member: step.member, purpose, publicKey, sans: controller.sans, authority, why: step.why };
    }),
  );
  const issued: Record<string, Record<string, string>> = {};
  for (const each of await issueMembers(context, requests)) {
    issued[each.member] = { ...issued[each.member], [each.purpose]: each.pem };
  }
  return issued;
}
