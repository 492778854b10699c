/** TCP to a lab's host, straight over its bridge. */
import { connect } from 'node:net';
import type { StreamFactory } from '../../../src/etcd/secure.ts';

/** Rejects with Node's own error. */
export function dial(address: string, port: number): StreamFactory {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
}
