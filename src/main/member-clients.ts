/** Clients of members' endpoints with the operator's certificate, for as long as one thing takes. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { askVersion, type VersionAnswer } from '../etcd/ask.ts';
import { connectEtcd, type EtcdClient, type EtcdOptions } from '../etcd/client.ts';
import { clientEndpoint } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { Connection } from '../transport/transport.ts';

/** How members are reached. */
export interface Reach {
  readonly cluster: Cluster;
  readonly connections: ReadonlyMap<string, Connection>;
  credentialsIfAny(): Promise<TlsMaterial | undefined>;
}

const CALL_TIMEOUT_MS = 10_000;

/** Opens a client for each of these members, and closes them all. @throws QuorateError the first that is not reached */
export async function withClients<T>(
  reach: Reach,
  members: readonly string[],
  {
    signal,
    use,
  }: { readonly signal: AbortSignal; readonly use: (clients: ReadonlyMap<string, EtcdClient>) => Promise<T> },
): Promise<T> {
  const clients = new Map<string, EtcdClient>();
  try {
    for (const name of members) clients.set(name, await connectEtcd(await optionsFor(reach, name, signal)));
    return await use(clients);
  } finally {
    for (const client of clients.values()) client.close();
  }
}

/** What these members tell of versions; one that does not answer is missing. */
export async function askVersions(
  reach: Reach,
  members: readonly string[],
  signal: AbortSignal,
): Promise<Readonly<Record<string, VersionAnswer>>> {
  const all = members.map(async (name) => {
    try {
      return [[name, await askVersion(await optionsFor(reach, name, signal))] as const];
    } catch (error) {
      if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
      return [];
    }
  });
  return Object.fromEntries((await Promise.all(all)).flat());
}

async function optionsFor(
  { cluster, connections, credentialsIfAny }: Reach,
  name: string,
  signal: AbortSignal,
): Promise<EtcdOptions> {
  const controller = cluster.controllers.find((each) => each.name === name);
  const tls = await credentialsIfAny();
  if (controller === undefined || tls === undefined) {
    throw new QuorateError('step-failed', `${name}: cannot be asked: there is no certificate for it`, { host: name });
  }
  const endpoint = clientEndpoint(cluster, controller, connections.get(name));
  return { ...endpoint, tls, timeoutMs: CALL_TIMEOUT_MS, signal };
}
