/** Calls that change the cluster's member list, with the operator's certificate. */
import type { MemberPort } from '../apply/ports.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { hostsOf } from '../domain/membership.ts';
import { connectEtcd, type EtcdClient } from '../etcd/client.ts';
import { clientEndpoint } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { takeHashes } from '../observe/hashes.ts';
import type { Connection } from '../transport/transport.ts';

/** A change of members goes through raft, and etcd itself gives up on it after 7 s (server config, ReqTimeout). */
const CALL_TIMEOUT_MS = 10_000;

interface Input {
  readonly cluster: Cluster;
  readonly connections: ReadonlyMap<string, Connection>;
  credentials(): Promise<TlsMaterial | undefined>;
  readonly signal: AbortSignal;
}

/** One connection a call: the member that is asked may be another one each time. */
export function memberPort(input: Input): MemberPort {
  const ask = async <T>(host: string, use: (client: EtcdClient) => Promise<T>): Promise<T> => {
    const client = await clientOf(host, input);
    return use(client).finally(() => client.close());
  };
  return {
    add: async (via, peerUrls) => void (await ask(via, (client) => client.memberAdd(peerUrls, true))),
    promote: (via, id) => ask(via, (client) => client.memberPromote(id)),
    remove: async (via, id) => void (await ask(via, (client) => client.memberRemove(id))),
    update: (via, id, peerUrls) => ask(via, (client) => client.memberUpdate(id, peerUrls)),
    disarm: (via, id, alarm) => ask(via, (client) => client.disarm(id, alarm)),
    commitNothing: (via) => ask(via, (client) => client.commitNothing()),
    hashes: async (hosts) => {
      const clients = new Map<string, EtcdClient>();
      try {
        for (const host of hosts) clients.set(host, await clientOf(host, input));
        return await takeHashes(clients);
      } finally {
        for (const client of clients.values()) client.close();
      }
    },
  };
}

async function clientOf(host: string, { cluster, connections, credentials, signal }: Input): Promise<EtcdClient> {
  const controller = hostsOf(cluster).find((each) => each.name === host);
  const tls = await credentials();
  if (controller === undefined || tls === undefined) {
    throw new QuorateError('step-failed', `${host}: its member cannot be asked to change the list`, { host });
  }
  const endpoint = clientEndpoint(cluster, controller, connections.get(host));
  return connectEtcd({ ...endpoint, tls, timeoutMs: CALL_TIMEOUT_MS, signal });
}
