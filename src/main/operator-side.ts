/** The operator's side of a run: the PKI store and its keys, releases, and etcd as seen with the operator's certificate. */
import { randomBytes } from 'node:crypto';
import { awaitCluster, type ProofContext } from '../apply/await-cluster.ts';
import type { IssuedLeaves, OperatorPort, Release, ReleaseName } from '../apply/ports.ts';
import { proveCluster } from '../apply/prove-cluster.ts';
import { proveRevocation } from '../apply/prove-revocation.ts';
import type { Cluster } from '../domain/cluster.ts';
import { clientTrust } from '../domain/pki-view.ts';
import type { Plan } from '../domain/plan.ts';
import type { Step } from '../domain/step.ts';
import type { Identity } from '../domain/verdict.ts';
import type { EtcdClient } from '../etcd/client.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { takeHashes } from '../observe/hashes.ts';
import { ensureAdmin, openAdmin } from '../pki/admin.ts';
import { createAuthorities } from '../pki/authorities.ts';
import type { PkiContext } from '../pki/context.ts';
import type { Custody } from '../pki/custody.ts';
import { systemEntropy } from '../pki/entropy.ts';
import { openFileStore } from '../pki/file-store.ts';
import { closeGoal, setGoal } from '../pki/goals.ts';
import { issueMembers } from '../pki/members.ts';
import { refreshLists } from '../pki/revocation.ts';
import type { PkiSnapshot } from '../pki/snapshot.ts';
import { createCluster, forgetFormed, loadPki, noteFormed, recordToken } from '../pki/state.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';
import { changeAuthorities } from './authority-steps.ts';
import { certificateProofs } from './certificate-proofs.ts';
import { performExternal } from './external-steps.ts';
import { askVersions, withClients } from './member-clients.ts';
import type { Process } from './process.ts';
import { revocationTests } from './revocation.ts';
import { strangerCertificate } from './stranger.ts';
import { performVersionStep } from './version-steps.ts';

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

/** Releases, as the inventory wants them. */
export interface ReleasePort {
  /** By architecture, of the cluster's version or another one. */
  checksums(version?: string): Readonly<Record<string, string>>;
  fetch(name: ReleaseName, signal: AbortSignal): Promise<Release>;
  downloadScript(name: ReleaseName, target: string): Promise<string | undefined>;
}

interface Input {
  readonly cluster: Cluster;
  readonly custody: () => Promise<Custody>;
  readonly releases: ReleasePort;
  readonly process: Process;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
}

export function operatorSide(input: Input): OperatorSide {
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

interface PortInput extends Input {
  readonly connections: ReadonlyMap<string, Connection>;
  readonly store: ReturnType<typeof openFileStore>;
  pki(): Promise<PkiSnapshot>;
  context(): Promise<PkiContext>;
  credentialsIfAny(): Promise<TlsMaterial | undefined>;
}

function portOf(input: PortInput): OperatorPort {
  const { cluster, context, releases } = input;
  const fetched = new Map<string, Release>();
  let stranger: Promise<TlsMaterial> | undefined;
  const { proofContext, clients, proved } = clusterClients(input);
  const proveCertificates = certificateProofs({ ...input, now: input.process.now });
  const perform = async (step: Step, view: View, signal: AbortSignal): Promise<void> => {
    switch (step.kind) {
      case 'store.create':
        await nameCluster(input);
        return;
      case 'authority.make':
        await createAuthorities(await context(), step.why);
        return;
      case 'authority.succeed':
      case 'authority.activate':
      case 'authority.retire':
      case 'authority.uncross':
      case 'authority.abandon':
      case 'authority.replace':
      case 'authority.renew':
        await changeAuthorities(step, view, await context());
        return;
      case 'authority.import':
      case 'certificate.accept':
      case 'admin.key':
        await performExternal(step, view, await context());
        return;
      case 'revocation.refresh':
        await refreshLists(await context(), step.uses);
        return;
      case 'admin.issue':
        await ensureAdmin(await context(), step.why, undefined, step.renew);
        return;
      case 'goal.set': {
        const { now, who } = input.process;
        await setGoal(input.store, requireIdentity(view).uuid, {
          goal: step.goal,
          replaces: step.replaces,
          now: now(),
          who,
        });
        return;
      }
      case 'goal.close':
        await closeGoal(input.store, requireIdentity(view).uuid, step.goal);
        return;
      case 'release.fetch':
        fetched.set(releaseKey(step), await releases.fetch(step, signal));
        return;
      case 'snapshot.save':
      case 'version.check':
      case 'version.await':
      case 'raft.snapshot':
      case 'downgrade.enable':
      case 'downgrade.cancel': {
        const told = await performVersionStep(step, { ...input, signal, now: input.process.now });
        if (told !== undefined) input.note(told);
        return;
      }
      case 'cluster.await': {
        const waiting = clients(view, signal, step.members);
        stranger = strangerCertificate(cluster, input.process.now());
        await Promise.all([waiting, stranger]);
        return;
      }
      case 'cluster.prove': {
        stranger ??= strangerCertificate(cluster, input.process.now());
        const shared = { ...(await proofContext(view, signal)), clients: await clients(view, signal) };
        await proveCluster({ ...shared, facts: view.facts, stranger: await stranger });
        proved();
        return;
      }
      case 'revocation.prove': {
        const { cluster: wanted, connections } = input;
        const tests = await revocationTests(await context(), step.uses, wanted);
        await proveRevocation({ cluster: wanted, connections, signal }, step.members, tests);
        return;
      }
      case 'certificates.prove':
        await proveCertificates({ members: step.members, view, signal, refusals: true });
        return;
      case 'formation.note':
        await noteFormed(input.store, requireIdentity(view).uuid, new Date(input.process.now()).toISOString());
        return;
      case 'formation.forget':
        await forgetFormed(input.store, requireIdentity(view).uuid);
        return;
      default:
        throw new Error(`${step.kind} is no step of the operator`);
    }
  };
  return {
    perform,
    issue: async (steps, view) => issueAll(steps, view, await context()),
    pki: () => input.pki(),
    prove: (members, view, signal) => proveCertificates({ members, view, signal, refusals: false }),
    versions: (members, _view, signal) => askVersions(input, members, signal),
    hashes: (members, _view, signal) => withClients(input, members, { signal, use: takeHashes }),
    release: async (name) => fetched.get(releaseKey(name)) ?? releases.fetch(name, AbortSignal.timeout(30 * 60_000)),
    downloadScript: (name, target) => releases.downloadScript(name, target),
  };
}

function releaseKey({ version, architecture }: ReleaseName): string {
  return `${version} ${architecture}`;
}

function requireIdentity({ identity }: View): Identity {
  if (identity === undefined) throw new Error('the cluster has no identity yet');
  return identity;
}

/** A new store gets UUID and token; a store whose cluster is formed anew keeps its UUID and gets another token. One of another name is refused. */
async function nameCluster({ cluster, store, pki, process }: PortInput): Promise<void> {
  const token = randomBytes(16).toString('hex');
  const { identity } = await pki();
  if (identity?.name === cluster.name) await recordToken(store, identity.uuid, token);
  else await createCluster(store, { uuid: systemEntropy.uuid(), name: cluster.name, token }, process.now());
}

/** The clients that waiting opened are used again by the proofs. */
function clusterClients(input: PortInput): {
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
