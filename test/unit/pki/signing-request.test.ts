import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readRequest } from '../../../src/pki/csr.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { requestPem, unsignedRequest } from '../../../src/pki/signing-request.ts';
import { hasOpenssl } from './judges.ts';
import { keyPair, serverProfile } from './material.ts';

function made(algorithm: 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048', purpose: 'server' | 'client' = 'server') {
  const keys = keyPair(algorithm);
  const publicKey = readPublicKey(keys.spki, algorithm);
  const sans = purpose === 'client' ? { dns: [], ip: [] } : serverProfile.sans;
  const request = unsignedRequest({ ...serverProfile, purpose, sans, algorithm }, publicKey);
  return { pem: requestPem(request, sign(request.hash, request.info, keys.privateKey)), publicKey };
}

describe.runIf(hasOpenssl)('a signing request', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)(
    'for %s is verified by openssl, with all that it asks for',
    (algorithm) => {
      const { pem } = made(algorithm);
      const args = ['req', '-verify', '-noout', '-text', '-nameopt', 'RFC2253'];
      const text = execFileSync('openssl', args, { input: pem, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
      expect(text).toContain('Subject: CN=etcd-1,O=Example');
      for (const name of ['DNS:etcd-1.example.com', 'IP Address:10.0.0.1', 'IP Address:2001:DB8:0:0:0:0:0:1']) {
        expect(text).toContain(name);
      }
      expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication');
      expect(text).toContain('CA:FALSE');
    },
  );

  test('of a client asks for no names', () => {
    const text = execFileSync('openssl', ['req', '-noout', '-text'], {
      input: made('ecdsa-p256', 'client').pem,
      encoding: 'utf8',
    });
    expect(text).not.toContain('Subject Alternative Name');
    expect(text).not.toContain('Server Authentication');
  });
});

test('is read back by our own reader, which verifies it', () => {
  const { pem, publicKey } = made('ecdsa-p256');
  expect(readRequest(pem, 'x').der).toEqual(publicKey.der);
  const other = made('ecdsa-p256').pem.split('\n');
  const mixed = [...pem.split('\n').slice(0, -4), ...other.slice(-4)].join('\n');
  expect(() => readRequest(mixed, 'x')).toThrow(/^x: /);
});
