import { randomBytes, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { verifyIssuedBy } from '../../../src/pki/drift.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { issueLeaf, signerOf } from '../../../src/pki/issue.ts';
import { adminProfile, memberProfile } from '../../../src/pki/profile.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { asn1Dump, certtoolVerify, hasCerttool, hasOpenssl, opensslVerify } from './judges.ts';
import { authority, dayMs, keyPair, leaf, now, policy, serverProfile, signWith } from './material.ts';

const combinations: readonly (readonly [KeyAlgorithm, KeyAlgorithm])[] = [
  ['ecdsa-p256', 'ecdsa-p256'],
  ['ecdsa-p384', 'ecdsa-p256'],
  ['rsa-2048', 'ecdsa-p384'],
  ['ecdsa-p256', 'rsa-2048'],
  ['ecdsa-p384', 'rsa-3072'],
  ['rsa-4096', 'rsa-2048'],
];

describe.each(combinations)('a leaf of %s below %s', (caAlgorithm, leafAlgorithm) => {
  const ca = authority({ algorithm: caAlgorithm });
  const profile = { ...serverProfile, algorithm: leafAlgorithm };
  const server = leaf(ca, profile);
  const peer = leaf(ca, { ...profile, purpose: 'peer' });
  const client = leaf(ca, adminProfile({ organization: '', algorithm: leafAlgorithm }));

  test.skipIf(!hasOpenssl)('passes openssl verify -x509_strict for its purposes and names', () => {
    expect(opensslVerify(server.pem, ca.pem, 'sslserver', profile.sans)).toBe('');
    expect(opensslVerify(server.pem, ca.pem, 'sslclient')).toBe('');
    expect(opensslVerify(peer.pem, ca.pem, 'sslserver', profile.sans)).toBe('');
    expect(opensslVerify(peer.pem, ca.pem, 'sslclient')).toBe('');
    expect(opensslVerify(client.pem, ca.pem, 'sslclient')).toBe('');
    expect(opensslVerify(client.pem, ca.pem, 'sslserver')).toContain('unsuitable certificate purpose');
  });

  test.skipIf(!hasCerttool)('passes certtool --verify', () => {
    expect(certtoolVerify(server.pem, ca.pem)).toBe('');
    expect(certtoolVerify(client.pem, ca.pem)).toBe('');
  });

  test('verifies against its authority and carries the right algorithms', () => {
    expect(verifyIssuedBy(server.pem, ca.pem, now)).toEqual([]);
    expect(new X509Certificate(server.pem).verify(new X509Certificate(ca.pem).publicKey)).toBe(true);
    const facts = readCertificate(server.pem);
    expect(facts.algorithm).toBe(leafAlgorithm);
    const hash = { 'ecdsa-p256': 'ecdsa-sha256', 'ecdsa-p384': 'ecdsa-sha384' }[String(caAlgorithm)];
    expect(facts.signatureAlgorithm).toBe(hash ?? 'rsa-sha256');
    const usages = leafAlgorithm.startsWith('rsa') ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
    expect(facts.keyUsages).toEqual(usages);
  });

  test.skipIf(!hasOpenssl)('has NULL parameters with RSA and none with ECDSA', () => {
    const lines = asn1Dump(server.pem).split('\n');
    const after = (name: RegExp) => lines.flatMap((line, i) => (name.test(line) ? [lines[i + 1] ?? ''] : []));
    const signatures = after(/:(ecdsa-with-SHA\d+|sha256WithRSAEncryption)$/);
    expect(signatures).toHaveLength(2);
    for (const next of signatures) expect(/ NULL/.test(next)).toBe(caAlgorithm.startsWith('rsa'));
  });
});

describe('an authority', () => {
  const ca = authority();
  const facts = readCertificate(ca.pem);

  test('is self-signed, critical cA with path length 1, keyCertSign and cRLSign, with both key identifiers', () => {
    expect(facts).toMatchObject({
      isCa: true,
      pathLength: 1,
      keyUsages: ['keyCertSign', 'cRLSign'],
      sans: { dns: [], ip: [] },
    });
    expect(facts.issuerDer).toBe(facts.subjectDer);
    expect(facts.authorityKeyId).toBe(facts.subjectKeyId);
    expect(facts.subjectKeyId).toHaveLength(40);
    expect(verifyIssuedBy(ca.pem, ca.pem, now)).toEqual([]);
    const dump = asn1Dump(ca.pem);
    expect(dump).toMatch(/X509v3 Basic Constraints\n.*BOOLEAN +:255/);
    expect(dump).toMatch(/X509v3 Key Usage\n.*BOOLEAN +:255/);
  });

  test('has a subject that names cluster, purpose, number and key, so that another key gives another subject', () => {
    expect(facts.commonName).toBe(`prod client CA 1 ${facts.subjectKeyId.slice(0, 8)}`);
    expect(readCertificate(authority().pem).subjectDer).not.toBe(facts.subjectDer);
    expect(readCertificate(authority({ purpose: 'both' }).pem).commonName).toMatch(/^prod CA 1 [0-9a-f]{8}$/);
    const long = readCertificate(authority({ clusterName: 'x'.repeat(90) }).pem);
    expect(long.commonName).toMatch(/^x+ client CA 1 [0-9a-f]{8}$/);
    expect(long.commonName).toHaveLength(64);
  });

  test('writes every name as UTF8String', () => {
    expect(asn1Dump(ca.pem)).toContain('UTF8STRING');
    expect(asn1Dump(leaf(ca).pem)).not.toMatch(/PRINTABLESTRING|TELETEX|IA5STRING/i);
  });

  test('lives as long as the policy says, backdated', () => {
    const second = (ms: number) => Math.floor(ms / 1000) * 1000;
    expect(facts.notBefore).toBe(second(now - 5 * 60_000));
    expect(facts.notAfter).toBe(second(now + 3650 * dayMs));
  });
});

describe('a leaf', () => {
  const ca = authority();

  test('says exactly what its profile says', () => {
    const facts = readCertificate(leaf(ca).pem);
    expect(facts).toMatchObject({
      commonName: 'etcd-1',
      organization: 'Example',
      subject: 'O=Example, CN=etcd-1',
      isCa: false,
      extendedKeyUsages: ['serverAuth', 'clientAuth'],
      issuerDer: ca.signer.facts.subjectDer,
      authorityKeyId: ca.signer.facts.subjectKeyId,
    });
    expect(facts.sans).toEqual({
      dns: ['etcd-1', 'etcd-1.example.com', 'localhost'],
      ip: ['10.0.0.1', '127.0.0.1', '2001:db8::1', '::1'],
    });
    const parsed = new X509Certificate(leaf(ca).pem);
    expect(parsed.subjectAltName).toContain('IP Address:2001:DB8:0:0:0:0:0:1');
    expect(parsed.ca).toBe(false);
  });

  test('has a CN fixed by its role', () => {
    const member = { name: 'etcd_1', sans: serverProfile.sans };
    const leafPolicy = { organization: '', algorithm: 'ecdsa-p256' } as const;
    const cn = (profile: typeof serverProfile) => readCertificate(leaf(ca, profile).pem).subject;
    expect(cn(memberProfile('server', member, leafPolicy))).toBe('CN=etcd_1');
    expect(cn(memberProfile('peer', member, leafPolicy))).toBe('CN=etcd_1');
    expect(cn(memberProfile('client', member, leafPolicy))).toBe('CN=quorate-etcd_1');
    expect(cn(adminProfile(leafPolicy))).toBe('CN=root');
    expect(readCertificate(leaf(ca, memberProfile('client', member, leafPolicy)).pem)).toMatchObject({
      sans: { dns: [], ip: [] },
      extendedKeyUsages: ['clientAuth'],
    });
  });

  test.each([
    ['all ones', Buffer.alloc(20, 0xff)],
    ['all zeros', Buffer.alloc(20)],
    ['random', randomBytes(20)],
  ])('has a positive serial of exactly 20 octets from %s', (_, random) => {
    const { pem, serial } = leaf(ca, serverProfile, { serial: random });
    const octets = Buffer.from(readCertificate(pem).serial, 'hex');
    expect(octets).toHaveLength(20);
    expect((octets[0] ?? 0) & 0xc0).toBe(0x40);
    expect(octets.toString('hex')).toBe(serial);
    expect(new X509Certificate(pem).serialNumber.toLowerCase()).toBe(serial);
  });

  test('refuses a serial of another length', () => {
    expect(() => leaf(ca, serverProfile, { serial: randomBytes(16) })).toThrow('20 octets');
  });

  test('never outlives its authority, and says that it was cut', () => {
    const short = authority({ caLifetimeDays: 100 });
    const cut = leaf(short);
    expect(cut.cut).toBe(true);
    expect(cut.notAfter).toBe(short.signer.facts.notAfter);
    expect(leaf(short, serverProfile, { leafLifetimeDays: 99 }).cut).toBe(false);
  });

  test('never begins before its authority', () => {
    expect(leaf(ca, serverProfile, { now: now + 1000 }).notBefore).toBe(ca.signer.facts.notBefore + 1000);
    const atBirth = leaf(ca, serverProfile, { now: ca.signer.facts.notBefore });
    expect(atBirth.notBefore).toBe(ca.signer.facts.notBefore);
  });

  test('is refused below an authority that has expired or is not valid yet', () => {
    expect(() => leaf(ca, serverProfile, { now: ca.signer.facts.notAfter })).toThrow('has expired');
    expect(() => leaf(ca, serverProfile, { now: ca.signer.facts.notBefore - 1 })).toThrow('is not valid yet');
  });

  test('has UTCTime before 2050 and GeneralizedTime from 2050 on', () => {
    const start = Date.UTC(2049, 0, 1);
    const late = authority({ now: start });
    const before = leaf(late, serverProfile, { now: start, leafLifetimeDays: 364 });
    const after = leaf(late, serverProfile, { now: start, leafLifetimeDays: 365 });
    expect(asn1Dump(before.pem).match(/(UTCTIME|GENERALIZEDTIME) +:\S+/g)).toEqual([
      expect.stringMatching(/^UTCTIME +:481231235500Z$/),
      expect.stringMatching(/^UTCTIME +:491231000000Z$/),
    ]);
    expect(asn1Dump(after.pem).match(/(UTCTIME|GENERALIZEDTIME) +:\S+/g)).toEqual([
      expect.stringMatching(/^UTCTIME/),
      expect.stringMatching(/^GENERALIZEDTIME +:20500101000000Z$/),
    ]);
    expect(readCertificate(after.pem).notAfter).toBe(Date.UTC(2050, 0, 1));
  });

  test('is refused for a server without names, a key of another algorithm, and by a certificate that is no authority', () => {
    expect(() => leaf(ca, { ...serverProfile, sans: { dns: [], ip: [] } })).toThrow('needs a name or an address');
    const keys = keyPair('ecdsa-p384');
    const request = { profile: serverProfile, policy, serial: randomBytes(20), now };
    expect(() => issueLeaf(ca.signer, { ...request, publicKey: readPublicKey(keys.spki, 'ecdsa-p384') })).toThrow(
      'key is ecdsa-p384, policy ecdsa-p256',
    );
    expect(() => signerOf(leaf(ca).pem, signWith(keys.privateKey))).toThrow('not a certificate authority');
  });

  test.each(['', 'a'.repeat(65), 'a\nb', 'a\u0000', '\ud800'])('is refused for the common name %j', (commonName) => {
    expect(() => leaf(ca, { ...serverProfile, commonName })).toThrow(/common name/);
  });
});
