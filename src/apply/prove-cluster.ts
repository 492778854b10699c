/** Proves a formed cluster: identity, agreement, reads and writes, mutual authentication, and the certificates that are served. */
import { randomBytes } from 'node:crypto';
import type { Controller } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { pkiLink } from '../domain/layout.ts';
import type { EtcdClient } from '../etcd/client.ts';
import { presentCertificate, servedCertificate } from '../etcd/prove.ts';
import { clientStream, peerStream } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { ProofContext } from './await-cluster.ts';

const PROOF_TIMEOUT_MS = 10_000;

export interface ProofInput extends ProofContext {
  readonly clients: ReadonlyMap<string, EtcdClient>;
  readonly facts: Facts;
  /** A client certificate of an authority that this cluster does not know. */
  readonly stranger: TlsMaterial;
}

/**
 * Runs every proof and returns when all hold.
 * @throws QuorateError step-failed with every proof that failed
 */
export async function proveCluster(input: ProofInput): Promise<void> {
  const proofs = [
    proveIdentity(input),
    proveAgreement(input),
    proveReadsAndWrites(input),
    ...input.cluster.controllers.flatMap((controller) => [
      provePort(controller, 'client', input),
      provePort(controller, 'peer', input),
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

async function proveIdentity({ clients, identity, cluster }: ProofInput): Promise<void> {
  for (const [host, client] of clients) {
    const status = await client.status();
    if (status.clusterId !== identity.clusterId) {
      throw failed(
        host,
        `its cluster ID is ${status.clusterId}, and ${identity.clusterId} was computed before the start`,
      );
    }
    if (status.memberId !== identity.memberIds[host]) {
      throw failed(
        host,
        `its member ID is ${status.memberId}, and ${identity.memberIds[host]} was computed before the start`,
      );
    }
    const members = await client.memberList();
    const listed = members.map((each) => `${each.name} ${each.id}${each.learner ? ' learner' : ''}`).sort();
    const wanted = cluster.controllers.map(({ name }) => `${name} ${identity.memberIds[name]}`).sort();
    if (listed.join() !== wanted.join())
      throw failed(host, `lists the members ${listed.join(', ')}; wanted: ${wanted.join(', ')}`);
  }
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
    for (const [host, client] of clients) {
      const read = await client.get(key);
      if (read !== value) throw failed(host, 'a write on another member is not read here');
    }
  } finally {
    await writer.delete(key);
  }
}

async function provePort(controller: Controller, port: 'client' | 'peer', input: ProofInput): Promise<void> {
  const connection = input.connections.get(controller.name);
  const stream = (port === 'client' ? clientStream : peerStream)(input.cluster, controller, connection);
  const { name: host } = controller;
  const target = { host, stream, timeoutMs: PROOF_TIMEOUT_MS, signal: input.signal };
  const number = port === 'client' ? controller.clientPort : controller.peerPort;
  const anonymous = presentCertificate(target, { ca: '' });
  const stranger = presentCertificate(target, { ...input.stranger, ca: '' });
  const served = servedCertificate(target);
  const client = clientOnPeerPort(port, target, input);
  if (refusalFailed(await anonymous))
    throw failed(host, `port ${number} does not refuse a client without a certificate`);
  if (refusalFailed(await stranger))
    throw failed(host, `port ${number} does not refuse a certificate of an unknown authority`);
  const judged = await client;
  if (judged !== undefined && refusalFailed(judged))
    throw failed(
      host,
      `port ${number} does not refuse a client's certificate: whoever holds one could pass for a peer`,
    );
  const onDisk =
    input.facts.hosts[host]?.certificates[`${pkiLink(input.cluster)}/${port === 'client' ? 'server' : 'peer'}.crt`];
  if (onDisk === undefined || !sameCertificate(onDisk, await served)) {
    throw failed(host, `port ${number} serves another certificate than the one that was issued for it`);
  }
}

/** With an authority for peers alone, no client of etcd may reach the peer port (reference: one CA opens it to all). */
async function clientOnPeerPort(
  port: 'client' | 'peer',
  target: Parameters<typeof presentCertificate>[0],
  { cluster, tls }: ProofInput,
): Promise<Awaited<ReturnType<typeof presentCertificate>> | undefined> {
  if (port === 'client' || cluster.pki.authorities === 'single') return undefined;
  return presentCertificate(target, { ...tls, ca: '' });
}

function refusalFailed(judgement: { readonly accepted: boolean; readonly alert: string | undefined }): boolean {
  return judgement.accepted || judgement.alert === undefined;
}

function sameCertificate(left: string, right: string): boolean {
  const body = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
  return body(left) === body(right);
}

function failed(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: ${what}`, {
    host,
    hint: 'the cluster is not marked as formed; look at its log, mend the cause and run the same command again',
  });
}
