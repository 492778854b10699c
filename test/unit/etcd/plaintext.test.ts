/** When the operator's client speaks plaintext: only where it may, and only to a port that does not speak TLS at all. */
import { createServer as createHttp2Server } from 'node:http2';
import { connect, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { answersPlainly } from '../../../src/etcd/ask.ts';
import { connectEtcd } from '../../../src/etcd/client.ts';
import { authorityExtensions, opensslMade } from '../pki/openssl-authority.ts';

/** As etcd's client port without TLS: what is no HTTP/2 is ended without a word. */
function plainPort(): Server {
  const http2 = createHttp2Server();
  return createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first) => {
      if (first[0] === 0x16) return socket.destroy();
      socket.unshift(first);
      return http2.emit('connection', socket);
    });
  });
}

/** Opens a client of this server; how often it was dialled. */
async function dialling(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  let dialled = 0;
  const target = {
    host: 'etcd-1',
    stream: async () => {
      dialled += 1;
      return connect(address.port, '127.0.0.1');
    },
    timeoutMs: 5_000,
  };
  const tls = { ca: opensslMade({ subject: '/CN=ours', extensions: authorityExtensions }).certificate };
  const open = (plaintext: boolean) => connectEtcd({ ...target, tls, identities: ['127.0.0.1'], plaintext });
  return { open, target, dialled: () => dialled };
}

it('asks a port without TLS in plaintext where it may', async () => {
  const { open, dialled } = await dialling(plainPort());
  const client = await open(true);
  expect([client.servedCertificate, dialled()]).toEqual(['', 2]);
  client.close();
});

it('asks it not at all where it may not', async () => {
  const { open, dialled } = await dialling(plainPort());
  await expect(open(false)).rejects.toThrow('etcd-1: etcd closed the connection');
  expect(dialled()).toBe(1);
});

it('never gives up TLS because of whom a port shows, or whom it refuses', async () => {
  const stranger = opensslMade({
    subject: '/CN=stranger',
    extensions: ['subjectAltName=IP:127.0.0.1', 'extendedKeyUsage=serverAuth'],
  });
  const { open, target, dialled } = await dialling(
    createTlsServer({ cert: stranger.certificate, key: stranger.key }).on('tlsClientError', () => undefined),
  );
  await expect(open(true)).rejects.toThrow('the TLS handshake with etcd failed');
  expect(dialled()).toBe(1);
  expect(await answersPlainly(target)).toBe(false);
});
