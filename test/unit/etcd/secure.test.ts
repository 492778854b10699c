/** Whom quorate's own connections trust. */
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectSecurely } from '../../../src/etcd/secure.ts';
import { authorityExtensions, type Made, opensslMade } from '../pki/openssl-authority.ts';

/** A port whose certificate an intermediate has signed, served with that behind it. */
async function servedBy(leaf: Made, issuer: Made) {
  const server = createServer({ cert: leaf.certificate + issuer.certificate, key: leaf.key });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return (ca: string) =>
    connectSecurely({
      host: 'etcd-1',
      stream: async () => connect(address.port, '127.0.0.1'),
      tls: { ca },
      identities: ['127.0.0.1'],
      timeoutMs: 5_000,
    });
}

describe('a connection', () => {
  it('trusts an intermediate without its root, and no other below that root', async () => {
    const root = opensslMade({ subject: '/O=Elsewhere/CN=root' });
    const issuer = opensslMade({ subject: '/O=Elsewhere/CN=issuer', issuer: root, extensions: authorityExtensions });
    const other = opensslMade({ subject: '/O=Elsewhere/CN=other', issuer: root, extensions: authorityExtensions });
    const extensions = ['subjectAltName=IP:127.0.0.1', 'extendedKeyUsage=serverAuth'];
    const open = await servedBy(opensslMade({ subject: '/CN=etcd-1', issuer, extensions }), issuer);
    const socket = await open(issuer.certificate);
    expect(socket.authorized).toBe(true);
    socket.destroy();
    (await open(root.certificate)).destroy();
    await expect(open(other.certificate)).rejects.toThrow('the TLS handshake with etcd failed');
  });
});
