/** How the operator reaches a member's ports: through the SSH connection to its host, or straight. */
import { connect, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../domain/cluster.ts';
import { type Controller, dialledClientPort } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { forwardingForbidden } from '../transport/link.ts';
import type { Connection } from '../transport/transport.ts';
import type { EtcdOptions } from './client.ts';
import type { StreamFactory } from './secure.ts';

/** sshd answers at once when it forbids; silence is some firewall's, and not judged here. */
const FORBID_TIMEOUT_MS = 3_000;

/** What a member's certificate must name: its advertised address, or, inside an SSH connection to that very host, localhost. */
export function identitiesOf(cluster: Cluster, controller: Controller): readonly string[] {
  return cluster.access === 'direct' ? [controller.advertiseAddress] : [controller.advertiseAddress, 'localhost'];
}

/** How a member's client port is reached for calls: over TLS, and in plaintext where that cluster still serves nothing else. */
export function clientEndpoint(
  cluster: Cluster,
  controller: Controller,
  connection: Connection | undefined,
): Pick<EtcdOptions, 'host' | 'stream' | 'identities' | 'plaintext'> {
  return {
    host: controller.name,
    stream: clientStream(cluster, controller, connection),
    identities: identitiesOf(cluster, controller),
    plaintext: cluster.plaintextClients,
  };
}

/**
 * Opens streams to a member's client port: on loopback inside the SSH connection, where every member listens too. Without a
 * connection, and with `access: direct`, straight to the advertised address.
 */
export function clientStream(
  cluster: Cluster,
  controller: Controller,
  connection: Connection | undefined,
): StreamFactory {
  const port = dialledClientPort(controller);
  if (cluster.access === 'direct' || connection === undefined) return dial(controller.advertiseAddress, port);
  return () => connection.tunnel(loopback(controller), port);
}

/** The same for the peer port, which listens on the member's own address alone. */
export function peerStream(
  cluster: Cluster,
  controller: Controller,
  connection: Connection | undefined,
): StreamFactory {
  const { advertiseAddress, listenAddresses, peerPort } = controller;
  if (cluster.access === 'direct' || connection === undefined) return dial(advertiseAddress, peerPort);
  const [first = '0.0.0.0'] = listenAddresses;
  const address = first === '0.0.0.0' || first === '::' ? loopback(controller) : first;
  return () => connection.tunnel(address, peerPort);
}

/**
 * One error for each host whose sshd forbids the streams that forming and proving a cluster takes. Nothing needs to listen at
 * their ends yet. None with `access: direct`.
 */
export async function forbiddenStreams(
  cluster: Cluster,
  connections: ReadonlyMap<string, Connection>,
): Promise<readonly QuorateError[]> {
  if (cluster.access === 'direct') return [];
  const found = await Promise.all(
    cluster.controllers.map(async (controller) => {
      const connection = connections.get(controller.name);
      const [client, peer] = [
        clientStream(cluster, controller, connection),
        peerStream(cluster, controller, connection),
      ];
      return (await forbidden(client)) ?? (await forbidden(peer));
    }),
  );
  return found.filter((each) => each !== undefined);
}

async function forbidden(open: StreamFactory): Promise<QuorateError | undefined> {
  const judged = open(AbortSignal.timeout(FORBID_TIMEOUT_MS)).then(
    (stream) => {
      stream.on('error', () => undefined).destroy();
      return undefined;
    },
    (error: unknown) => (error instanceof QuorateError && forwardingForbidden(error) ? error : undefined),
  );
  return Promise.race([judged, sleep(FORBID_TIMEOUT_MS, undefined, { ref: false })]);
}

/** A TCP connection from here; rejects with Node's own error. One to a host that is silent would keep the process for minutes: it is closed in time. */
function dial(host: string, port: number): StreamFactory {
  return (signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = connect({ host, port, noDelay: true });
      const giveUp = (): void => {
        socket.destroy();
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        signal.removeEventListener('abort', giveUp);
        socket.off('error', reject);
        resolve(socket);
      });
    });
}

function loopback({ listenAddresses }: Controller): string {
  const six = listenAddresses.length > 0 && listenAddresses.every((each) => isIP(each) === 6);
  return six ? '::1' : '127.0.0.1';
}
