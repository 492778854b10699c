import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { certificateDrift, verifyIssuedBy } from '../../../src/pki/drift.ts';
import { readCertificate, splitPem } from '../../../src/pki/inspect.ts';
import { adminProfile } from '../../../src/pki/profile.ts';
import { hasOpenssl, inFolder } from './judges.ts';
import { authority, dayMs, leaf, now, serverProfile } from './material.ts';

const ca = authority();
const server = leaf(ca);
const wanted = { profile: serverProfile, authority: ca.pem };

describe('drift of a certificate', () => {
  test('is none when it is as wanted', () => {
    expect(certificateDrift(server.pem, wanted, now)).toEqual([]);
    expect(certificateDrift(`# a comment\n${server.pem}`, wanted, now)).toEqual([]);
  });

  test('tells what is absent or unreadable', () => {
    expect(certificateDrift(undefined, wanted, now)).toEqual(['there is no certificate']);
    expect(certificateDrift(' \n', wanted, now)).toEqual(['there is no certificate']);
    expect(certificateDrift('rubbish', wanted, now)).toEqual(['the certificate cannot be read']);
    expect(certificateDrift(server.pem.replace(/\n.{8}/, '\nAAAAAAAA'), wanted, now)).toEqual([
      'the certificate cannot be read',
    ]);
  });

  test('tells each name that is missing or not wanted, in any spelling', () => {
    const sans = {
      dns: ['ETCD-1', 'etcd-1.example.com', 'new.example.com'],
      ip: ['10.0.0.1', '127.0.0.1', '0:0::1', '10.9.9.9'],
    };
    expect(certificateDrift(server.pem, { ...wanted, profile: { ...serverProfile, sans } }, now)).toEqual([
      'SAN new.example.com is missing',
      'SAN 10.9.9.9 is missing',
      'SAN localhost is not wanted',
      'SAN 2001:db8::1 is not wanted',
    ]);
  });

  test('tells another key, name, organisation and usage', () => {
    const profile = { ...serverProfile, algorithm: 'rsa-2048', commonName: 'etcd-2', organization: '' } as const;
    expect(certificateDrift(server.pem, { ...wanted, profile }, now)).toEqual([
      'common name is etcd-1, not etcd-2',
      'organization is Example, not absent',
      'key is ecdsa-p256, not rsa-2048',
    ]);
    const client = leaf(ca, { ...serverProfile, purpose: 'client' });
    expect(certificateDrift(client.pem, wanted, now)).toEqual(['extended key usage serverAuth is missing']);
  });

  test('tells expiry and a beginning in the future by the clock that it is given', () => {
    const [reason] = certificateDrift(server.pem, wanted, server.notAfter + 1);
    expect(reason).toBe(`expired ${new Date(server.notAfter).toISOString().slice(0, 10)}`);
    expect(certificateDrift(server.pem, wanted, server.notBefore - 1)[0]).toMatch(/^not valid before \d{4}-/);
    expect(certificateDrift(server.pem, wanted, now + 3651 * dayMs)).toEqual([
      expect.stringMatching(/^expired/),
      expect.stringMatching(/^its authority expired/),
    ]);
  });

  test('tells another authority, also one of the same name', () => {
    const other = authority({ purpose: 'peer' });
    expect(verifyIssuedBy(server.pem, other.pem, now)).toEqual([
      `issued by ${ca.signer.facts.subject}, not by ${other.signer.facts.subject}`,
    ]);
    expect(certificateDrift(server.pem, { ...wanted, authority: other.pem }, now)).toHaveLength(1);
    expect(certificateDrift(server.pem, { ...wanted, authority: other.pem, trusted: other.pem + ca.pem }, now)).toEqual(
      [`issued by ${ca.signer.facts.subject}, which signs no more`],
    );
    expect(certificateDrift(server.pem, { ...wanted, trusted: other.pem + ca.pem }, now)).toEqual([]);
  });

  test('tells a forged signature under the right names', () => {
    const der = Buffer.from(server.der);
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect(certificateDrift(pem, wanted, now)).toEqual([`signature is not of ${ca.signer.facts.subject}`]);
  });

  test('tells a leaf in the place of an authority', () => {
    expect(verifyIssuedBy(server.pem, server.pem, now)).toContain(
      `${readCertificate(server.pem).subject} is no authority`,
    );
  });

  test('judges the admin certificate by its own profile', () => {
    const policy = { organization: 'Example', algorithm: 'ecdsa-p256' } as const;
    const own = { profile: adminProfile(policy), authority: ca.pem };
    const admin = leaf(ca, own.profile);
    expect(certificateDrift(admin.pem, own, now)).toEqual([]);
    expect(certificateDrift(server.pem, own, now)).toContain('common name is etcd-1, not root');
  });
});

describe('reading certificates', () => {
  test('refuses none and several where one is expected, and splits bundles', () => {
    expect(() => readCertificate('', 'ca/client-1.crt')).toThrow('ca/client-1.crt: holds no certificate in PEM');
    expect(() => readCertificate(ca.pem + server.pem)).toThrow('holds 2 certificates');
    expect(splitPem(`# one\n${ca.pem}\n# two\n${server.pem}`)).toEqual([ca.pem, server.pem]);
  });

  test.skipIf(!hasOpenssl)('reads what others have made', () => {
    inFolder({}, (folder) => {
      const out = ['-keyout', join(folder, 'k'), '-out', join(folder, 'c')];
      const names = [
        '-subj',
        '/C=DE/O=Other/CN=some host',
        '-addext',
        'subjectAltName=DNS:A.example,IP:10.1.2.3,URI:spiffe://x',
      ];
      const dates = ['-days', '30', '-set_serial', '0x00ff01'];
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', ...names, ...dates, ...out], {
        stdio: 'pipe',
      });
      const facts = readCertificate(execFileSync('cat', [join(folder, 'c')], { encoding: 'utf8' }));
      expect(facts).toMatchObject({
        subject: 'C=DE, O=Other, CN=some host',
        sans: { dns: ['a.example'], ip: ['10.1.2.3'] },
        algorithm: 'ed25519',
        serial: '00ff01',
        isCa: true,
        pathLength: undefined,
      });
    });
  });
});
