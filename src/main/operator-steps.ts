/** What each of the operator's steps does: a row a kind, in three tables by what they touch. */
import { randomBytes } from 'node:crypto';
import { awaitCluster, type ProofContext } from '../apply/await-cluster.ts';
import type { MembershipStep } from '../apply/membership.ts';
import type { Release, ReleaseName } from '../apply/ports.ts';
import { proveCluster, provePeerPorts } from '../apply/prove-cluster.ts';
import { proveRevocation } from '../apply/prove-revocation.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Step, StepKind } from '../domain/step.ts';
import type { Identity } from '../domain/verdict.ts';
import type { EtcdClient } from '../etcd/client.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { ensureAdmin } from '../pki/admin.ts';
import { createAuthorities } from '../pki/authorities.ts';
import type { PkiContext } from '../pki/context.ts';
import type { Custody } from '../pki/custody.ts';
import { systemEntropy } from '../pki/entropy.ts';
import type { openFileStore } from '../pki/file-store.ts';
import { closeGoal, setGoal } from '../pki/goals.ts';
import { refreshLists } from '../pki/revocation.ts';
import type { PkiSnapshot } from '../pki/snapshot.ts';
import { createCluster, forgetFormed, noteFormed, recordToken } from '../pki/state.ts';
import type { HostStepKind } from '../plan/need.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';
import { changeAuthorities } from './authority-steps.ts';
import type { certificateProofs } from './certificate-proofs.ts';
import { performExternal } from './external-steps.ts';
import type { Process } from './process.ts';
import { revocationTests } from './revocation.ts';
import { strangerCertificate } from './stranger.ts';
import { performVersionStep } from './version-steps.ts';

/** Releases, as the inventory wants them. */
export interface ReleasePort {
  /** By architecture, of the cluster's version or another one. */
  checksums(version?: string): Readonly<Record<string, string>>;
  fetch(name: ReleaseName, signal: AbortSignal): Promise<Release>;
  downloadScript(name: ReleaseName, target: string): Promise<string | undefined>;
}

export interface OperatorInput {
  readonly cluster: Cluster;
  readonly custody: () => Promise<Custody>;
  readonly releases: ReleasePort;
  readonly process: Process;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
}

/** What the steps are given. */
export interface StepsInput extends OperatorInput {
  readonly connections: ReadonlyMap<string, Connection>;
  readonly store: ReturnType<typeof openFileStore>;
  readonly proveCertificates: ReturnType<typeof certificateProofs>;
  pki(): Promise<PkiSnapshot>;
  context(): Promise<PkiContext>;
  credentialsIfAny(): Promise<TlsMaterial | undefined>;
  /** A release that was fetched. */
  keep(name: ReleaseName, release: Release): void;
}

/** The moment in which a step runs. */
interface Moment {
  readonly view: View;
  readonly signal: AbortSignal;
}

type Kind = Exclude<StepKind, HostStepKind | MembershipStep['kind'] | 'cert.issue'>;
type Row<K extends StepKind> = (step: Step<K>, moment: Moment) => Promise<void>;
type Table<K extends StepKind> = { readonly [Each in K]: Row<Each> };

/** Performs a step whose host is the operator: every kind but `cert.issue`, which is for all members in one go, and those of the member list. */
export function performerOf(input: StepsInput) {
  const table: Table<Kind> = { ...storeRows(input), ...authorityRows(input), ...clusterRows(input) };
  return async (step: Step, view: View, signal: AbortSignal): Promise<void> => {
    if (!isRow(table, step.kind)) throw new Error(`${step.kind} is no step of the operator`);
    // One row for one kind: that the step is of it, the index has just shown.
    await (table[step.kind] as Row<StepKind>)(step, { view, signal });
  };
}

function isRow(table: Table<Kind>, kind: StepKind): kind is Kind {
  return Object.hasOwn(table, kind);
}

function storeRows(input: StepsInput) {
  const { store, releases, process } = input;
  return {
    'store.create': () => nameCluster(input),
    'goal.set': async ({ goal, replaces }, { view }) => {
      const now = process.now();
      await setGoal(store, requireIdentity(view).uuid, { goal, replaces, now, who: process.who });
    },
    'goal.close': async (step, { view }) => closeGoal(store, requireIdentity(view).uuid, step.goal),
    'formation.note': async (_step, { view }) =>
      noteFormed(store, requireIdentity(view).uuid, new Date(process.now()).toISOString()),
    'formation.forget': async (_step, { view }) => forgetFormed(store, requireIdentity(view).uuid),
    'release.fetch': async (step, { signal }) => input.keep(step, await releases.fetch(step, signal)),
  } satisfies Partial<Table<Kind>>;
}

function authorityRows({ context }: StepsInput) {
  const change: Row<Parameters<typeof changeAuthorities>[0]['kind']> = async (step, { view }) =>
    changeAuthorities(step, view, await context());
  const external: Row<Parameters<typeof performExternal>[0]['kind']> = async (step, { view }) =>
    performExternal(step, view, await context());
  return {
    'authority.make': async (step) => {
      await createAuthorities(await context(), step.why);
    },
    'admin.issue': async (step) => {
      await ensureAdmin(await context(), step.why, undefined, step.renew);
    },
    'revocation.refresh': async (step) => {
      await refreshLists(await context(), step.uses);
    },
    'authority.succeed': change,
    'authority.activate': change,
    'authority.retire': change,
    'authority.uncross': change,
    'authority.abandon': change,
    'authority.replace': change,
    'authority.renew': change,
    'authority.import': external,
    'certificate.accept': external,
    'admin.key': external,
  } satisfies Partial<Table<Kind>>;
}

function clusterRows(input: StepsInput) {
  const { cluster, connections, process } = input;
  const { proofContext, clients, proved } = clusterClients(input);
  let made: Promise<TlsMaterial> | undefined;
  const stranger = (): Promise<TlsMaterial> => {
    made ??= strangerCertificate(cluster, process.now());
    return made;
  };
  const provePeers = async (view: View, signal: AbortSignal, formed: AbortSignal) => {
    const shared = await proofContext(view, signal);
    return provePeerPorts({ ...shared, facts: view.facts, stranger: await stranger() }, formed);
  };
  let provedPeers: ReadonlySet<string> | undefined;
  const version: Row<Parameters<typeof performVersionStep>[0]['kind']> = async (step, { signal }) => {
    const told = await performVersionStep(step, { ...input, signal, now: process.now });
    if (told !== undefined) input.note(told);
  };
  return {
    'cluster.await': async (step, { view, signal }) => {
      const formed = new AbortController();
      const waiting = clients(view, signal, step.members).finally(() => formed.abort());
      // Only a cluster that forms is proved next.
      const peers = view.identity?.formedAt === undefined ? provePeers(view, signal, formed.signal) : undefined;
      [, provedPeers] = await Promise.all([waiting, peers]);
    },
    'cluster.prove': async (_step, { view, signal }) => {
      const shared = { ...(await proofContext(view, signal)), clients: await clients(view, signal) };
      await proveCluster({ ...shared, facts: view.facts, stranger: await stranger(), provedPeers });
      proved();
    },
    'certificates.prove': async (step, { view, signal }) =>
      input.proveCertificates({ members: step.members, view, signal, refusals: true }),
    'revocation.prove': async (step, { signal }) => {
      const tests = await revocationTests(await input.context(), step.uses, cluster);
      await proveRevocation({ cluster, connections, signal }, step.members, tests);
    },
    'snapshot.save': version,
    'version.check': version,
    'version.await': version,
    'raft.snapshot': version,
    'downgrade.enable': version,
    'downgrade.cancel': version,
  } satisfies Partial<Table<Kind>>;
}

function requireIdentity({ identity }: View): Identity {
  if (identity === undefined) throw new Error('the cluster has no identity yet');
  return identity;
}

/** A new store gets UUID and token; a store whose cluster is formed anew keeps its UUID and gets another token. One of another name is refused. */
async function nameCluster({ cluster, store, pki, process }: StepsInput): Promise<void> {
  const token = randomBytes(16).toString('hex');
  const { identity } = await pki();
  if (identity?.name === cluster.name) await recordToken(store, identity.uuid, token);
  else await createCluster(store, { uuid: systemEntropy.uuid(), name: cluster.name, token }, process.now());
}

/** The clients that waiting opened are used again by the proofs. */
function clusterClients(input: StepsInput): {
  proofContext(view: View, signal: AbortSignal): Promise<ProofContext>;
  /** Of these members; of all where none are named. */
  clients(view: View, signal: AbortSignal, members?: readonly string[]): Promise<ReadonlyMap<string, EtcdClient>>;
  proved(): void;
} {
  let open: ReadonlyMap<string, EtcdClient> | undefined;
  const proofContext = async (view: View, signal: AbortSignal): Promise<ProofContext> => {
    const tls = await input.credentialsIfAny();
    if (tls === undefined) throw new Error('the cluster has no identity yet');
    const { cluster, connections, process } = input;
    return { cluster, connections, tls, identity: requireIdentity(view), signal, now: process.now };
  };
  return {
    proofContext,
    clients: async (view, signal, members) => {
      const context = await proofContext(view, signal);
      const { cluster } = context;
      const controllers = cluster.controllers.filter(({ name }) => members?.includes(name) ?? true);
      open ??= await awaitCluster({ ...context, cluster: { ...cluster, controllers } });
      return open;
    },
    proved: () => {
      for (const client of open?.values() ?? []) client.close();
      open = undefined;
    },
  };
}
