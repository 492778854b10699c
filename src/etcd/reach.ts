/** How the operator reaches a member's ports: through the SSH connection to its host, or straight. */
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import type { Connection } from '../transport/transport.ts';
import type { StreamFactory } from './secure.ts';

/** What a member's certificate must name: its advertised address, or, inside an SSH connection to that very host, localhost. */
export function identitiesOf(cluster: Cluster, controller: Controller): readonly string[] {
  return cluster.access === 'direct' ? [controller.advertiseAddress] : [controller.advertiseAddress, 'localhost'];
}

/**
 * Opens streams to a port of a controller. Through a tunnel the client port is dialled on loopback, where every member listens
 * too, and the peer port on the member's own address. Without a connection, and with `access: direct`, the advertised address.
 */
export function streamTo(
  cluster: Cluster,
  controller: Controller,
  connection: Connection | undefined,
): (port: 'client' | 'peer') => Promise<Duplex> {
  return (port) => {
    const number = port === 'client' ? controller.clientPort : controller.peerPort;
    if (cluster.access === 'direct' || connection === undefined) return dial(controller.advertiseAddress, number)();
    return connection.tunnel(listenAddress(controller, port), number);
  };
}

/** A TCP connection from here; rejects with Node's own error. */
export function dial(host: string, port: number): StreamFactory {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
}

function listenAddress(controller: Controller, port: 'client' | 'peer'): string {
  const listens = controller.listenAddresses;
  const loopback = listens.length > 0 && listens.every((each) => isIP(each) === 6) ? '::1' : '127.0.0.1';
  const [first = '0.0.0.0'] = listens;
  return port === 'client' || first === '0.0.0.0' || first === '::' ? loopback : first;
}
