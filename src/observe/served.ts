/** What every member's TLS ports show now, by handshakes without a client certificate: no key is needed, and an expired certificate shows too. */
import type { ServedFact, ServedPorts } from '../domain/certificate-evidence.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { answersPlainly } from '../etcd/ask.ts';
import { EtcdError } from '../etcd/etcd-error.ts';
import { servedCertificate } from '../etcd/prove.ts';
import { clientStream, peerStream } from '../etcd/reach.ts';
import type { Connection } from '../transport/transport.ts';

type Port = 'client' | 'peer';

const streamTo = { client: clientStream, peer: peerStream } as const satisfies Record<Port, typeof clientStream>;

/** For one port, opening the stream included. */
const HANDSHAKE_MS = 4_000;

/**
 * By controller name, every controller: inside its SSH connection, or straight to its advertised address where there is none. A port
 * that shows nothing is a fact, not an error.
 */
export async function observeServed(
  cluster: Cluster,
  connections: ReadonlyMap<string, Connection>,
): Promise<Readonly<Record<string, ServedPorts>>> {
  const all = cluster.controllers.map(async (controller) => {
    const [client, peer] = await Promise.all([
      look(cluster, controller, { port: 'client', connection: connections.get(controller.name) }),
      look(cluster, controller, { port: 'peer', connection: connections.get(controller.name) }),
    ]);
    const doubtful = [
      ...(client.kind === 'silent' || cluster.plaintextClients ? (['client'] as const) : []),
      ...(peer.kind === 'silent' ? (['peer'] as const) : []),
    ];
    const plaintext = await plaintextOf(cluster, controller, {
      ports: doubtful,
      connection: connections.get(controller.name),
    });
    return [controller.name, { client, peer, ...(plaintext.length === 0 ? {} : { plaintext }) }] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

async function plaintextOf(
  cluster: Cluster,
  controller: Controller,
  { ports, connection }: { readonly ports: readonly Port[]; readonly connection: Connection | undefined },
): Promise<readonly Port[]> {
  const all = ports.map(async (port) => {
    const stream = streamTo[port](cluster, controller, connection);
    const answers = await answersPlainly({ host: controller.name, stream, timeoutMs: HANDSHAKE_MS });
    return answers ? [port] : [];
  });
  return (await Promise.all(all)).flat();
}

async function look(
  cluster: Cluster,
  controller: Controller,
  { port, connection }: { readonly port: Port; readonly connection: Connection | undefined },
): Promise<ServedFact> {
  const stream = streamTo[port](cluster, controller, connection);
  try {
    const pem = await servedCertificate({ host: controller.name, stream, timeoutMs: HANDSHAKE_MS });
    return pem === '' ? { kind: 'silent', reason: 'it showed no certificate' } : { kind: 'certificate', pem };
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    if (!(error instanceof EtcdError)) return { kind: 'silent', reason: error.message.replace(`${error.host}: `, '') };
    const alerted = error.failure === 'tls' && /\(\d+\)$/.test(error.reason);
    return alerted ? { kind: 'alert', alert: error.reason } : { kind: 'silent', reason: error.reason };
  }
}
