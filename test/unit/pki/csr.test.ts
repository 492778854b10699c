import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRequest } from '../../../src/pki/csr.ts';
import { spkiHash } from '../../../src/pki/public-key.ts';
import { hasOpenssl, inFolder } from './judges.ts';

/** A request made by openssl; `tamper` may change its DER. */
function request(key: readonly string[], options: readonly string[] = []): { csr: string; key: string; spki: string } {
  return inFolder({}, (folder) => {
    const file = join(folder, 'key.pem');
    execFileSync('openssl', ['genpkey', ...key, '-out', file], { stdio: 'ignore' });
    const csr = execFileSync('openssl', ['req', '-new', '-key', file, '-subj', '/CN=anything', ...options]).toString();
    const spki = execFileSync('openssl', ['pkey', '-in', file, '-pubout']).toString();
    return { csr, key: execFileSync('openssl', ['pkey', '-in', file]).toString(), spki };
  });
}

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const rsa = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];

describe.runIf(hasOpenssl)('a signing request of openssl', () => {
  test.each([
    ['ecdsa-p256', p256, []],
    ['ecdsa-p384', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['-sha512']],
    ['rsa-2048', rsa, ['-addext', 'subjectAltName=DNS:a.example.com']],
  ])('for %s gives its public key, whatever else it asks for', (algorithm, key, options) => {
    const made = request(key, options);
    const found = readRequest(made.csr, 'x.csr');
    expect(found.algorithm).toBe(algorithm);
    const der = Buffer.from(made.spki.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(spkiHash(found.der)).toBe(spkiHash(der));
  });

  test('is refused where its signature is not of its own key', () => {
    const der = Buffer.from(request(p256).csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const other = Buffer.from(request(p256).csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const point = der.indexOf(Buffer.from('03420004', 'hex')) + 4;
    const otherPoint = other.indexOf(Buffer.from('03420004', 'hex')) + 4;
    other.copy(der, point, otherPoint, otherPoint + 64);
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(() => readRequest(forged, 'x.csr')).toThrow('x.csr: is not signed by its own key');
  });

  test('is refused with SHA-1, with a type of key that is not issued for, and beside a private key', () => {
    expect(() => readRequest(request(rsa, ['-sha1']).csr, 'x.csr')).toThrow('is signed with an algorithm');
    expect(() => readRequest(request(['-algorithm', 'ED25519']).csr, 'x.csr')).toThrow('is signed with an algorithm');
    const small = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'];
    expect(() => readRequest(request(small).csr, 'x.csr')).toThrow('has a key of type rsa-1024');
    const both = request(p256);
    expect(() => readRequest(both.csr + both.key, 'x.csr')).toThrow('holds a private key');
  });

  test('never gives a key, nor anything but a refusal, when an octet of it is changed', () => {
    const der = Buffer.from(request(p256).csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(der);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${damaged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
        expect(() => readRequest(pem, 'x.csr')).toThrow(/^(x\.csr|public key)/);
      }),
      { numRuns: 500, examples: [[124, 1]] },
    );
  });
});

test.each(['', 'rubbish', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
  '%j is no request',
  (text) => expect(() => readRequest(text, 'x.csr')).toThrow('x.csr: is not one PEM block of type CERTIFICATE REQUEST'),
);
