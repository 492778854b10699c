/** Asks every member about itself, all at once. A member that does not answer is a fact, not an error. */
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { EndpointFacts, HostFacts } from '../domain/facts.ts';
import { hostsOf } from '../domain/membership.ts';
import { connectEtcd, type EtcdClient } from '../etcd/client.ts';
import { EtcdError } from '../etcd/etcd-error.ts';
import { clientEndpoint } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { Connection } from '../transport/transport.ts';

export interface EndpointOptions {
  /** What quorate trusts and shows on the client port; undefined: there is nothing yet, and no endpoint is asked. */
  readonly credentials: TlsMaterial | undefined;
  /** For one host, all its calls together; default 5 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The read that asks the quorum gets less time than the rest, so that a lost quorum hides nothing and costs little. */
const QUORUM_READ_MS = 2500;

/**
 * By controller name, one for every connection that the probe saw; `hosts` says where the unit does not run, so that it is not
 * asked. Throws only QuorateError `interrupted`.
 */
export async function observeEndpoints(
  connections: Iterable<Connection>,
  cluster: Cluster,
  hosts: Readonly<Record<string, HostFacts>>,
  options: EndpointOptions,
): Promise<Readonly<Record<string, EndpointFacts>>> {
  const asked = [...connections].flatMap((connection) => {
    const controller = hostsOf(cluster).find((each) => each.name === connection.host);
    const host = hosts[connection.host];
    if (controller === undefined || host === undefined) return [];
    const { activeState } = host.unit;
    if (activeState !== 'inactive' && activeState !== 'failed') {
      return [observeOne(cluster, { controller, connection }, options)];
    }
    return [Promise.resolve(silentEndpoint(controller.name, `${controller.name}: ${cluster.unit} is ${activeState}`))];
  });
  return Object.fromEntries((await Promise.all(asked)).map((each) => [each.host, each]));
}

/** Facts of an endpoint that did not answer. */
function silentEndpoint(host: string, failure: string): EndpointFacts {
  return {
    host,
    failure,
    ...{ clusterId: '', memberId: '', version: '', storageVersion: '', leaderId: '0' },
    ...{ raftTerm: 0, raftIndex: 0, raftAppliedIndex: 0, dbSizeBytes: 0, dbInUseBytes: 0 },
    ...{ learner: false, errors: [], linearizable: false, members: [], alarms: [], servedCertificate: '' },
  };
}

async function observeOne(
  cluster: Cluster,
  { controller, connection }: { readonly controller: Controller; readonly connection: Connection },
  options: EndpointOptions,
): Promise<EndpointFacts> {
  const { name } = controller;
  const { credentials: tls, timeoutMs = 5000, signal } = options;
  if (tls === undefined) return silentEndpoint(name, `${name}: there is no client certificate to ask it with`);
  const deadline = AbortSignal.timeout(timeoutMs);
  const until = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  const endpoint = clientEndpoint(cluster, controller, connection);
  try {
    const client = await connectEtcd({ ...endpoint, tls, timeoutMs, signal: until });
    return await ask(client, name).finally(() => client.close());
  } catch (error) {
    if (!(error instanceof QuorateError) || signal?.aborted) throw error;
    const late = error.code === 'interrupted';
    return silentEndpoint(name, late ? `${name}: etcd does not answer within ${timeoutMs / 1000} s` : error.message);
  }
}

/** Status and list are the member's own; the read that asks the quorum may fail without hiding them. */
async function ask(client: EtcdClient, host: string): Promise<EndpointFacts> {
  const [{ revision: _, ...status }, members, linearizable] = await Promise.all([
    client.status(),
    listOf(client),
    readsLinearizably(client),
  ]);
  return { host, failure: undefined, ...status, linearizable, members, servedCertificate: client.servedCertificate };
}

/** A learner tells no list: etcd refuses that call on it (3.4 to 3.7, api/v3rpc/interceptor.go, ErrGRPCNotSupportedForLearner). */
function listOf(client: EtcdClient): ReturnType<EtcdClient['memberList']> {
  return client.memberList().catch((error: unknown) => {
    if (error instanceof EtcdError && error.reason.includes('rpc not supported for learner')) return [];
    throw error;
  });
}

/** As `etcdctl endpoint health` has it: an answer that denies the permission came through the quorum too. */
function readsLinearizably(client: EtcdClient): Promise<boolean> {
  return client.get('quorate/health', { timeoutMs: QUORUM_READ_MS }).then(
    () => true,
    (error: unknown) => error instanceof EtcdError && error.status === 'PermissionDenied',
  );
}
