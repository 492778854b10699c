/** Proofs of one port of one member, over connections opened now: what it serves, and whom it refuses. */
import type { Cluster } from '../domain/cluster.ts';
import { type Controller, dialledClientPort } from '../domain/controller.ts';
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
  const wrongAuthority =
    alertNumber(anonymous) === BAD_CERTIFICATE ? [BAD_CERTIFICATE, UNKNOWN_AUTHORITY] : [UNKNOWN_AUTHORITY];
  const expected = [
    { judged: anonymous, alerts: noCertificate, what: 'a client without a certificate', why: '' },
    { judged: stranger, alerts: wrongAuthority, what: 'a certificate of an unknown authority', why: '' },
    ...(client === undefined
      ? []
      : [
          {
            judged: client,
            alerts: wrongAuthority,
            what: "a client's certificate",
            why: ': whoever holds one could pass for a peer',
          },
        ]),
  ];
  for (const { judged, alerts, what, why } of expected) {
    if (!judged.accepted && alerts.includes(alertNumber(judged))) continue;
    throw failed(controller, port, `does not refuse ${what} ${told(judged)}${why}`);
  }
}

const BAD_CERTIFICATE = 42;
const UNKNOWN_AUTHORITY = 48;

/**
 * What Go's crypto/tls says to nobody: `certificate required` under TLS 1.3, `handshake failure` under 1.2, and up to Go 1.20 `bad certificate`, which it
 * also said to strangers then. Seen: etcd 3.4.23 says 42 to both; 3.5.35, 3.6.16 and 3.7.3 say 116 and 48. So where nobody got an alert of his own, a
 * stranger must get his.
 */
const noCertificate: readonly number[] = [116, 40, BAD_CERTIFICATE];

function alertNumber({ alert }: Judgement): number {
  return Number(/\((\d+)\)$/.exec(alert ?? '')?.[1]);
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
  const { name: host, peerPort } = controller;
  const number = port === 'client' ? dialledClientPort(controller) : peerPort;
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
