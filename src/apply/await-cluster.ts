/** Waits until a cluster has formed; when it does not, says which member fails and what its own log tells. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { Identity } from '../domain/verdict.ts';
import { connectEtcd, type EndpointStatus, type EtcdClient } from '../etcd/client.ts';
import { clientStream, identitiesOf } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { Connection } from '../transport/transport.ts';
import { lastWords } from './unit-log.ts';

/** What proving a cluster needs. */
export interface ProofContext {
  readonly cluster: Cluster;
  readonly connections: ReadonlyMap<string, Connection>;
  /** The operator's own certificate. */
  readonly tls: TlsMaterial;
  readonly identity: Identity;
  readonly signal: AbortSignal;
  now(): number;
}

/** Members may have to wait for disks and for each other; more than this is a fault. */
const FORM_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
const CALL_TIMEOUT_MS = 5_000;

/** A host whose power went sends nothing any more, and SSH alone takes half a minute to notice. */
const HOST_CHECK_MS = 5_000;
const HOST_ANSWER_MS = 10_000;

/**
 * Resolves with an open client for every member once all of them are up and agree on one leader.
 * @throws QuorateError step-failed: each member that did not come up, with the last words of its log; unreachable: every
 * host that was lost meanwhile
 */
export async function awaitCluster(context: ProofContext): Promise<ReadonlyMap<string, EtcdClient>> {
  const givingUp = new AbortController();
  const watching = new AbortController();
  const signal = AbortSignal.any([context.signal, givingUp.signal]);
  const forming = awaitMembers({ ...context, signal });
  forming.catch(() => undefined);
  try {
    return await Promise.race([forming, failWithHosts([...context.connections.values()], watching.signal)]);
  } catch (error) {
    givingUp.abort();
    throw error;
  } finally {
    watching.abort();
  }
}

async function awaitMembers(context: ProofContext): Promise<ReadonlyMap<string, EtcdClient>> {
  const deadline = context.now() + FORM_TIMEOUT_MS;
  const clients = new Map<string, EtcdClient>();
  const waiting = context.cluster.controllers.map(async (controller) => {
    const { client } = await awaitMember(controller, deadline, context);
    clients.set(controller.name, client);
  });
  const settled = await Promise.allSettled(waiting);
  const failed = settled.flatMap((each) =>
    each.status === 'rejected' ? [String(each.reason?.message ?? each.reason)] : [],
  );
  if (failed.length > 0) {
    for (const client of clients.values()) client.close();
    context.signal.throwIfAborted();
    throw await notFormed(failed, context);
  }
  return clients;
}

/** Rejects once hosts no longer answer over SSH, with all of them; never resolves. */
async function failWithHosts(connections: readonly Connection[], signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(HOST_CHECK_MS, undefined, { signal, ref: false });
    const settled = await Promise.allSettled(connections.map((each) => checkHost(each, signal)));
    signal.throwIfAborted();
    const errors = settled.flatMap((each) => (each.status === 'rejected' ? [lostHost(each.reason)] : []));
    if (errors.length > 0) throw combineErrors(`${errors.length} hosts were lost while the cluster formed`, errors);
  }
}

async function checkHost(connection: Connection, signal: AbortSignal): Promise<void> {
  await connection.run(
    { script: ':', root: false, label: 'see whether the host is there' },
    { timeoutMs: HOST_ANSWER_MS, signal },
  );
}

function lostHost(reason: unknown): QuorateError {
  if (!(reason instanceof QuorateError)) throw reason;
  const { message, host, cause } = reason;
  const hint = 'bring the host back and run the same command again: it goes on from here';
  return new QuorateError('unreachable', message, { host, cause, hint });
}

async function awaitMember(
  controller: Controller,
  deadline: number,
  context: ProofContext,
): Promise<{ client: EtcdClient; status: EndpointStatus }> {
  const stream = clientStream(context.cluster, controller, context.connections.get(controller.name));
  let last: unknown = new Error('no answer');
  let client: EtcdClient | undefined;
  while (context.now() < deadline && !context.signal.aborted) {
    try {
      client ??= await connectEtcd({
        host: controller.name,
        stream,
        tls: context.tls,
        identities: identitiesOf(context.cluster, controller),
        timeoutMs: CALL_TIMEOUT_MS,
        signal: context.signal,
      });
      const status = await client.status();
      if (Number.parseInt(status.leaderId, 16) !== 0) return { client, status };
      last = new Error(`${controller.name}: knows no leader`);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      last = error;
      client?.close();
      client = undefined;
    }
    await sleep(POLL_MS);
  }
  client?.close();
  throw last;
}

/** Each member that did not come up, with its own last words: they name the cause where no connection does. */
async function notFormed(failed: readonly string[], context: ProofContext): Promise<QuorateError> {
  const { unit } = context.cluster;
  const words = await Promise.all(
    [...context.connections.values()].map(async (connection) => {
      const lines = await lastWords(connection, unit);
      return lines.map(
        (line) => new QuorateError('step-failed', `${connection.host}: its log: ${line}`, { host: connection.host }),
      );
    }),
  );
  const errors = failed.map((message) => new QuorateError('step-failed', message));
  return new QuorateError('step-failed', `the cluster did not form within ${FORM_TIMEOUT_MS / 1000} s`, {
    errors: [...errors, ...words.flat()],
    hint: 'the members go on trying; mend the cause (a firewall on the peer port? clocks?) and run the same command again',
  });
}
