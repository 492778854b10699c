import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { issueMembers } from '../../../src/pki/members.ts';
import { constraintDrift, violations } from '../../../src/pki/name-constraints.ts';
import { adminProfile } from '../../../src/pki/profile.ts';
import { renewAuthorities } from '../../../src/pki/renew-authority.ts';
import { loadPki } from '../../../src/pki/state.ts';
import { makeSuccessor } from '../../../src/pki/succession.ts';
import { clusterStore } from './cluster-store.ts';
import { asn1Dump, certtoolVerify, hasCerttool, hasOpenssl, opensslVerify } from './judges.ts';
import { authority, keyPair, leaf, now, serverProfile } from './material.ts';

const { sans } = serverProfile;

describe('an authority with name constraints', () => {
  const ca = authority({ nameConstraints: { ...sans, dns: [...sans.dns, '*.Example.org'] } });

  test('permits these names and addresses, critically, a wildcard by the name below which it stands', () => {
    expect(readCertificate(ca.pem).nameConstraints).toEqual({
      permitted: {
        dns: ['example.org', 'etcd-1', 'etcd-1.example.com', 'localhost'],
        ip: ['10.0.0.1/32', '127.0.0.1/32', '2001:db8::1/128', '::1/128'],
      },
      excluded: { dns: [], ip: [] },
    });
    if (hasOpenssl) expect(asn1Dump(ca.pem)).toMatch(/X509v3 Name Constraints\n.*BOOLEAN +:255/);
  });

  test.skipIf(!hasOpenssl || !hasCerttool)('has judges take what it may certify, and a client without names', () => {
    const wild = leaf(ca, {
      ...serverProfile,
      sans: { ...sans, dns: [...sans.dns, '*.example.org', 'a.b.example.org'] },
    });
    const client = leaf(ca, adminProfile({ organization: '', algorithm: 'ecdsa-p256' }));
    expect(opensslVerify(wild.pem, ca.pem, 'sslserver', sans)).toBe('');
    expect(opensslVerify(client.pem, ca.pem, 'sslclient')).toBe('');
    expect(certtoolVerify(wild.pem, ca.pem) + certtoolVerify(client.pem, ca.pem)).toBe('');
  });

  test('refuses to certify another name, and says what to do', () => {
    const profile = { ...serverProfile, sans: { dns: ['etcd-1', 'etcd-9'], ip: ['10.0.0.9'] } };
    expect(() => leaf(ca, profile)).toThrow('is limited to names that etcd-9, 10.0.0.9 is not among');
  });

  const names = ['etcd-1', 'etcd-2', 'a.etcd-1', 'example.org', 'a.example.org', 'xexample.org', '*.example.org'];
  const addresses = ['10.0.0.1', '10.0.0.2', '127.0.0.1', '::1', 'fd00::1'];
  const someSans = fc.record({
    dns: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    ip: fc.uniqueArray(fc.constantFrom(...addresses), { maxLength: 3 }),
  });

  test.skipIf(!hasOpenssl)('is judged as openssl does, for any names', { timeout: 60_000 }, () => {
    const keys = keyPair('ecdsa-p256');
    fc.assert(
      fc.property(someSans, someSans, (permitted, wanted) => {
        const limited = authority({ keys, nameConstraints: permitted });
        const { facts } = limited.signer;
        const signer = { ...limited.signer, facts: { ...facts, nameConstraints: undefined } };
        const made = leaf({ ...limited, signer }, { ...serverProfile, sans: wanted });
        const theirs = opensslVerify(made.pem, limited.pem, 'sslserver');
        const beyond = facts.nameConstraints === undefined ? ['?'] : violations(facts.nameConstraints, wanted);
        expect({ beyond, sound: beyond.length === 0 }).toEqual({ beyond, sound: theirs === '' });
      }),
      { numRuns: 80 },
    );
  });
});

describe('an inventory that grows', () => {
  const policy = { nameConstraints: sans };
  const grown = { ...sans, ip: [...sans.ip, '10.0.0.9'] };
  const request = { member: 'etcd-9', purpose: 'server', why: 'test', sans: { dns: [], ip: ['10.0.0.9'] } } as const;

  test('is drift of the authority; fewer names are none', () => {
    const { nameConstraints } = readCertificate(authority({ nameConstraints: sans }).pem);
    expect(constraintDrift(nameConstraints, sans)).toEqual([]);
    expect(constraintDrift(nameConstraints, { dns: ['etcd-1'], ip: [] })).toEqual([]);
    expect(constraintDrift(nameConstraints, grown)).toEqual(['it does not permit 10.0.0.9']);
    expect(constraintDrift(undefined, sans)).toEqual(['it may certify any name, and pki.nameConstraints is true']);
    expect(constraintDrift(nameConstraints, undefined)).toHaveLength(1);
  });

  test('is refused until the authority is renewed with the same key', async () => {
    const context = await clusterStore({ policy });
    await createAuthorities(context, 'bootstrap');
    const asked = { ...request, publicKey: keyPair('ecdsa-p256').spki };
    const more = { ...context, policy: { ...context.policy, nameConstraints: grown } };
    await expect(issueMembers(more, [asked])).rejects.toThrow('10.0.0.9 is not among');
    const [first] = (await loadPki(context.store)).authorities;
    const renewal = { id: 'client-1', replaces: first?.facts.sha256 ?? '' };
    await renewAuthorities(more, [renewal], 'grow');
    const [issued] = await issueMembers(more, [asked]);
    const [renewed] = (await loadPki(context.store)).authorities;
    if (hasOpenssl) {
      expect(opensslVerify(issued?.pem ?? '', renewed?.certificate ?? '', 'sslserver')).toBe('');
      expect(opensslVerify(issued?.pem ?? '', first?.certificate ?? '', 'sslserver')).toContain('permitted subtree');
    }
  });

  test('limits a successor and its cross certificate alike', async () => {
    const context = await clusterStore({ policy });
    await createAuthorities(context, 'bootstrap');
    const made = await makeSuccessor(context, { purpose: 'client', why: 'rotate', cross: true });
    expect(readCertificate(made.crossMade ?? '').nameConstraints).toEqual(made.facts.nameConstraints);
    expect(constraintDrift(made.facts.nameConstraints, sans)).toEqual([]);
    expect(made.facts.notAfter).toBeGreaterThan(now);
  });
});
