/** Moves leadership with the operator's certificate. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { hostsOf } from '../domain/membership.ts';
import { connectEtcd } from '../etcd/client.ts';
import { clientEndpoint } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { Connection } from '../transport/transport.ts';

/** etcd waits for the transfer as long as an election may take. */
const MOVE_TIMEOUT_MS = 15_000;

/** Asks `leader` to hand over to the member with this ID. @throws QuorateError where it does not lead, or did not hand over in time */
export async function moveLeader(
  move: { readonly leader: string; readonly targetId: string },
  input: {
    readonly cluster: Cluster;
    readonly connections: ReadonlyMap<string, Connection>;
    readonly credentials: TlsMaterial | undefined;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { cluster, credentials: tls, signal } = input;
  const controller = hostsOf(cluster).find(({ name }) => name === move.leader);
  if (controller === undefined || tls === undefined) {
    throw new QuorateError('step-failed', `${move.leader}: cannot be asked to hand leadership over`, {
      host: move.leader,
    });
  }
  const endpoint = clientEndpoint(cluster, controller, input.connections.get(controller.name));
  const client = await connectEtcd({ ...endpoint, tls, timeoutMs: MOVE_TIMEOUT_MS, signal });
  await client.moveLeader(move.targetId).finally(() => client.close());
}
