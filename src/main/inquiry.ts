/** What only diagnosing asks of a cluster, over the connections that a session has. */
import { proveCluster } from '../apply/prove-cluster.ts';
import type { Inquiry } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { connectEtcd, type EtcdClient } from '../etcd/client.ts';
import { clientEndpoint } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { takeHashes } from '../observe/hashes.ts';
import { fetchMetrics, readMetrics } from '../observe/metrics.ts';
import { observeServed } from '../observe/served.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';
import { readStore } from './certificates.ts';
import { readJournals } from './journals.ts';
import { strangerCertificate } from './stranger.ts';

export interface InquiryInput {
  readonly cluster: Cluster;
  readonly connections: ReadonlyMap<string, Connection>;
  view(): View;
  /** The operator's certificate for etcd. */
  credentials(): Promise<TlsMaterial | undefined>;
  readonly redact: (text: string) => string;
  now(): number;
}

const CALL_TIMEOUT_MS = 10_000;
/** A day of a busy member's journal takes seconds. */
const JOURNAL_TIMEOUT_MS = 120_000;

/** See {@link Inquiry}. */
export function inquiryOf(input: InquiryInput): Inquiry {
  const { cluster, connections, redact } = input;
  return {
    journals: (hosts, wish) => {
      const failures: QuorateError[] = [];
      const signal = new AbortController().signal;
      const asked = [...connections.values()].filter(({ host }) => hosts.includes(host));
      const reading = {
        unit: cluster.unit,
        wish,
        redact,
        signal,
        timeoutMs: JOURNAL_TIMEOUT_MS,
        onFailure: (error: QuorateError) => failures.push(error),
      };
      return { lines: readJournals(asked, reading), failures };
    },
    certificates: async () => {
      const [served, store] = await Promise.all([observeServed(cluster, connections), readStore(cluster)]);
      return { cluster, now: input.now(), facts: input.view().facts, served, store };
    },
    metrics: async () => {
      const texts = await fetchMetrics(cluster, connections);
      return { texts, facts: readMetrics(texts) };
    },
    hashes: (hosts) => withClients(input, hosts, takeHashes),
    prove: (hosts, { readOnly }) =>
      withClients(input, hosts, async (clients, tls) => {
        const { facts, identity } = input.view();
        if (identity === undefined) throw new QuorateError('refused', `${cluster.stateDir}: holds no cluster`);
        const stranger = await strangerCertificate(cluster, input.now());
        const { signal } = new AbortController();
        const proof = {
          cluster,
          connections,
          tls,
          identity,
          signal,
          now: input.now,
          clients,
          facts,
          stranger,
          readOnly,
          formed: identity.formedAt !== undefined,
        };
        return proveCluster(proof).then(() => [], errorsOf);
      }),
  };
}

/** Opens a client for each of these hosts, and closes them all. */
async function withClients<T>(
  { cluster, connections, credentials }: InquiryInput,
  hosts: readonly string[],
  use: (clients: ReadonlyMap<string, EtcdClient>, tls: TlsMaterial) => Promise<T>,
): Promise<T> {
  const tls = await credentials();
  if (tls === undefined) throw new QuorateError('refused', `${cluster.stateDir}: holds no certificate for etcd yet`);
  const clients = new Map<string, EtcdClient>();
  try {
    for (const controller of cluster.controllers.filter(({ name }) => hosts.includes(name))) {
      const endpoint = clientEndpoint(cluster, controller, connections.get(controller.name));
      clients.set(controller.name, await connectEtcd({ ...endpoint, tls, timeoutMs: CALL_TIMEOUT_MS }));
    }
    return await use(clients, tls);
  } finally {
    for (const client of clients.values()) client.close();
  }
}

function errorsOf(error: unknown): readonly QuorateError[] {
  if (!(error instanceof QuorateError)) throw error;
  return error.errors.length === 0 ? [error] : error.errors;
}
