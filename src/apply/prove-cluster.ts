/** Proves a formed cluster: identity, agreement, reads and writes, mutual authentication, and the certificates that are served. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Controller } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import type { EtcdClient } from '../etcd/client.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { ProofContext } from './await-cluster.ts';
import { proveComputedIdentity, proveToldIdentity } from './prove-identity.ts';
import { type PortProof, proveRefusals, proveServed } from './prove-port.ts';

export interface ProofInput extends ProofContext {
  readonly clients: ReadonlyMap<string, EtcdClient>;
  readonly facts: Facts;
  /** A client certificate of an authority that this cluster does not know. */
  readonly stranger: TlsMaterial;
  /** Whether the cluster has been formed before: IDs are then what its members say, because only first members have those that were computed. */
  readonly formed?: boolean | undefined;
  /** Leaves out the proof that writes, and removes, a key. */
  readonly readOnly?: boolean | undefined;
  /** Hosts whose peer port {@link provePeerPorts} has proved. */
  readonly provedPeers?: ReadonlySet<string> | undefined;
}

const POLL_MS = 50;

/**
 * Runs every proof and returns when all hold.
 * @throws QuorateError step-failed with every proof that failed
 */
export async function proveCluster(input: ProofInput): Promise<void> {
  const proofs = [
    input.formed === true ? proveToldIdentity(input) : proveComputedIdentity(input),
    proveAgreement(input),
    ...(input.readOnly === true ? [] : [proveReadsAndWrites(input)]),
    ...input.cluster.controllers.flatMap((controller) => [
      proveServed(controller, 'client', input),
      proveRefusals(controller, 'client', input),
      ...(input.provedPeers?.has(controller.name) ? [] : [provePeerPort(controller, input)]),
    ]),
  ];
  const settled = await Promise.allSettled(proofs);
  const errors = settled.flatMap((each) => {
    if (each.status === 'fulfilled') return [];
    if (each.reason instanceof QuorateError) return [each.reason];
    throw each.reason;
  });
  if (errors.length > 0) throw combineErrors(`${errors.length} proofs failed`, errors);
}

/**
 * Proves peer ports while their members still elect a leader: they are open before client ports are. Returns the hosts where it held before `formed`; what
 * fails is left to {@link proveCluster}, because a member that is only starting fails too.
 */
export async function provePeerPorts(
  input: PortProof & Pick<ProofInput, 'stranger'>,
  formed: AbortSignal,
): Promise<ReadonlySet<string>> {
  const proved = new Set<string>();
  const waiting = input.cluster.controllers.map(async (controller) => {
    while (!formed.aborted && !proved.has(controller.name)) {
      try {
        await provePeerPort(controller, input);
        proved.add(controller.name);
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        await sleep(POLL_MS);
      }
    }
  });
  await Promise.all(waiting);
  return proved;
}

async function provePeerPort(controller: Controller, input: PortProof & Pick<ProofInput, 'stranger'>): Promise<void> {
  await proveServed(controller, 'peer', input);
  await proveRefusals(controller, 'peer', input);
}

async function proveAgreement({ clients }: ProofInput): Promise<void> {
  const seen = await Promise.all(
    [...clients].map(async ([host, client]) => ({ host, leader: (await client.status()).leaderId })),
  );
  const leaders = [...new Set(seen.map((each) => each.leader))];
  if (leaders.length === 1) return;
  throw failed(
    seen[0]?.host ?? '',
    `members disagree on the leader: ${seen.map((each) => `${each.host}: ${each.leader}`).join(', ')}`,
  );
}

/** A write on one member is read, linearizably, on all; the key is removed again. */
async function proveReadsAndWrites({ clients }: ProofInput): Promise<void> {
  const [writer] = clients.values();
  if (writer === undefined) return;
  const key = `quorate/proof/${randomBytes(8).toString('hex')}`;
  const value = randomBytes(8).toString('hex');
  await writer.put(key, value);
  try {
    const reads = [...clients].map(async ([host, client]) => ({ host, read: await client.get(key) }));
    const stale = (await Promise.all(reads)).find(({ read }) => read !== value);
    if (stale !== undefined) throw failed(stale.host, 'a write on another member is not read here');
  } finally {
    await writer.delete(key);
  }
}

function failed(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: ${what}`, {
    host,
    hint: 'the cluster is not marked as formed; look at its log, mend the cause and run the same command again',
  });
}
