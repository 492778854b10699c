/** Proofs of one port of one member, over connections opened now: what it serves, and whom it refuses. */
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { pkiLink } from '../domain/layout.ts';
import { type Judgement, type ProofTarget, presentCertificate, servedCertificate } from '../etcd/prove.ts';
import { clientStream, peerStream } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { Connection } from '../transport/transport.ts';

export const PROOF_TIMEOUT_MS = 10_000;

export type Port = 'client' | 'peer';

export interface PortProof {
  readonly cluster: Cluster;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly facts: Facts;
  /** The operator's own certificate. */
  readonly tls: TlsMaterial;
  readonly signal: AbortSignal;
}

/** How a port is reached. */
export function portTarget(controller: Controller, port: Port, input: PortProof): ProofTarget {
  const connection = input.connections.get(controller.name);
  const stream = (port === 'client' ? clientStream : peerStream)(input.cluster, controller, connection);
  return { host: controller.name, stream, timeoutMs: PROOF_TIMEOUT_MS, signal: input.signal };
}

/** @throws QuorateError step-failed where new connections are not served exactly the certificate behind the link */
export async function proveServed(controller: Controller, port: Port, input: PortProof): Promise<void> {
  const file = `${pkiLink(input.cluster)}/${port === 'client' ? 'server' : 'peer'}.crt`;
  const onDisk = input.facts.hosts[controller.name]?.certificates[file];
  const served = await servedCertificate(portTarget(controller, port, input));
  if (onDisk !== undefined && sameCertificates(onDisk, served)) return;
  throw failed(controller, port, 'serves another certificate than the one that was issued for it', {
    hint: onDisk === undefined ? `there is none at ${file}` : undefined,
  });
}

/**
 * `stranger`: a client's certificate of an authority that this cluster does not know.
 * @throws QuorateError step-failed where nobody, a stranger, or (on a peer port with an authority of its own) a client is not refused as such
 */
export async function proveRefusals(
  controller: Controller,
  port: Port,
  input: PortProof & { readonly stranger: TlsMaterial },
): Promise<void> {
  const target = portTarget(controller, port, input);
  const ownAuthority = port === 'peer' && input.cluster.pki.authorities !== 'single';
  const [anonymous, stranger, client] = await Promise.all([
    presentCertificate(target, { ca: '' }),
    presentCertificate(target, { ...input.stranger, ca: '' }),
    ownAuthority ? presentCertificate(target, { ...input.tls, ca: '' }) : undefined,
  ]);
  expectRefusal(anonymous, noCertificateAlerts, () =>
    failed(controller, port, `does not refuse a client without a certificate ${told(anonymous)}`),
  );
  expectRefusal(stranger, wrongAuthorityAlerts, () =>
    failed(controller, port, `does not refuse a certificate of an unknown authority ${told(stranger)}`),
  );
  if (client === undefined) return;
  expectRefusal(client, wrongAuthorityAlerts, () =>
    failed(
      controller,
      port,
      `does not refuse a client's certificate ${told(client)}: whoever holds one could pass for a peer`,
    ),
  );
}

/** Go's crypto/tls: `bad certificate` up to 1.20 (and under TLS 1.2), `certificate required` under TLS 1.3 since. */
const noCertificateAlerts: readonly number[] = [42, 116];
/** Go's crypto/tls: `bad certificate` up to 1.20, `unknown CA` since. */
const wrongAuthorityAlerts: readonly number[] = [42, 48];

function expectRefusal(judgement: Judgement, alerts: readonly number[], failure: () => QuorateError): void {
  const number = Number(/\((\d+)\)$/.exec(judgement.alert ?? '')?.[1]);
  if (judgement.accepted || !alerts.includes(number)) throw failure();
}

function told({ accepted, alert, detail }: Judgement): string {
  return accepted ? `(it answered: ${detail})` : `as such (${alert ?? detail})`;
}

/** The failure of a proof about a member's port. */
export function failed(
  controller: Controller,
  port: Port,
  what: string,
  { hint, cause }: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
): QuorateError {
  const { name: host, clientPort, peerPort } = controller;
  const number = port === 'client' ? clientPort : peerPort;
  return new QuorateError('step-failed', `${host}: ${port} port ${number} ${what}`, {
    host,
    hint: hint ?? 'look at its log, mend the cause and run the same command again',
    cause,
  });
}

/** Leaf and what stands behind it. */
function sameCertificates(left: string, right: string): boolean {
  const body = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
  return body(left) !== '' && body(left) === body(right);
}
