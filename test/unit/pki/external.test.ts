import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { installExternal, type Returned } from '../../../src/pki/external.ts';
import { importAuthority } from '../../../src/pki/import.ts';
import { checkAuthority } from '../../../src/pki/import-check.ts';
import { issueMembers } from '../../../src/pki/members.ts';
import { memberProfile } from '../../../src/pki/profile.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { readPublicSide } from '../../../src/pki/public-side.ts';
import { requestPem, unsignedRequest } from '../../../src/pki/signing-request.ts';
import { clusterStore, temporaryFolder } from './cluster-store.ts';
import { hasOpenssl } from './judges.ts';
import { keyPair } from './material.ts';
import { type Made, type Making, opensslMade } from './openssl-authority.ts';

const member = { name: 'etcd-1', sans: { dns: ['etcd-1', 'localhost'], ip: ['10.0.0.1'] } };
const usages = ['basicConstraints=CA:FALSE', 'keyUsage=critical,digitalSignature', 'authorityKeyIdentifier=keyid'];
const names = 'subjectAltName=DNS:etcd-1,DNS:localhost,IP:10.0.0.1';
const good = [...usages, 'extendedKeyUsage=serverAuth,clientAuth', names];

/** A store whose client authority signs elsewhere, and a member's key with its request. */
async function outside(chain: 'root' | 'intermediate' = 'root') {
  const context = await clusterStore();
  const root = opensslMade({ subject: '/CN=their root' });
  const ca = chain === 'root' ? root : opensslMade({ subject: '/CN=their intermediate', issuer: root });
  const offer = { certificate: ca.certificate, chain: chain === 'root' ? '' : root.certificate, key: undefined };
  const accepted = checkAuthority(offer, { now: Date.now() + 2000, leafLifetimeDays: 30 });
  await importAuthority(context, { purpose: 'client', accepted, why: 'imported' });
  const keys = keyPair('ecdsa-p256');
  const publicKey = readPublicKey(keys.spki, 'ecdsa-p256');
  const profile = memberProfile('server', member, context.policy);
  const unsigned = unsignedRequest(profile, publicKey);
  const request = requestPem(unsigned, sign(unsigned.hash, unsigned.info, keys.privateKey));
  const back = (pem: string): Returned => ({
    pem,
    profile,
    publicKey,
    authority: 'client-1',
    what: 'etcd-1.server.crt',
  });
  const signed = (making: Making = {}): string => signedBy(ca, { request, extensions: good, days: 90, ...making });
  const clock = { ...context, now: () => Date.now() + 2000 };
  const issue = () =>
    issueMembers(clock, [{ member: 'etcd-1', purpose: 'server', publicKey: keys.spki, sans: member.sans, why: 'x' }]);
  return { context: clock, ca, root, back, signed, issue, keys };
}

function signedBy(issuer: Made, making: Making): string {
  return opensslMade({ ...making, issuer }).certificate;
}

async function problems(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof QuorateError)) return '';
  return (error.errors.length === 0 ? [error] : error.errors).map((each) => each.message).join('\n');
}

describe.runIf(hasOpenssl)('a certificate of an authority that signs elsewhere', () => {
  test('goes to the key that it is for, once it was installed, and is noted', async () => {
    const { context, back, signed, issue } = await outside();
    await expect(issue()).rejects.toMatchObject({
      hint: expect.stringContaining('quorate certs ca external request'),
    });
    const pem = signed();
    await installExternal(context, [back(pem)]);
    await installExternal(context, [back(pem)]);
    const [leaf] = await issue();
    expect(leaf?.pem).toBe(pem);
    const { issued } = await readPublicSide(context.store);
    expect(issued?.filter((each) => each.purpose === 'server')).toMatchObject([
      { commonName: 'etcd-1', authority: 'client-1' },
    ]);
  });

  test('of an intermediate is served with that behind it, whatever came back with it', async () => {
    const { context, ca, root, back, signed, issue } = await outside('intermediate');
    const pem = signed();
    await installExternal(context, [back(pem + ca.certificate + root.certificate)]);
    const [leaf] = await issue();
    expect(leaf?.pem).toBe(pem + ca.certificate);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'leaf'), leaf?.pem ?? '');
    writeFileSync(join(folder, 'root'), root.certificate);
    const file = (name: string) => join(folder, name);
    const args = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      file('root'),
      '-untrusted',
      file('leaf'),
    ];
    expect(execFileSync('openssl', [...args, file('leaf')], { encoding: 'utf8' })).toContain('OK');
  });

  test.each([
    ['for another key', { request: '', subject: '/O=Example/CN=etcd-1' }, 'is not for the key of its request'],
    [
      'without a name',
      { extensions: [...good.slice(0, -1), 'subjectAltName=DNS:etcd-1,IP:10.0.0.1'] },
      'SAN localhost is missing',
    ],
    ['with another name', { extensions: [...good.slice(0, -1), `${names},DNS:other`] }, 'SAN other is not wanted'],
    [
      'without clientAuth',
      { extensions: [...usages, 'extendedKeyUsage=serverAuth', names] },
      'extended key usage clientAuth is missing',
    ],
    [
      'that is an authority',
      { extensions: ['basicConstraints=critical,CA:TRUE', ...good.slice(1)] },
      'it is an authority',
    ],
    ['that outlives its authority', { days: 4000 }, 'outlives its authority'],
    [
      'whose key may not sign handshakes',
      { extensions: ['basicConstraints=CA:FALSE', 'keyUsage=critical,keyEncipherment', ...good.slice(2)] },
      'key usage digitalSignature is missing',
    ],
    [
      'with what etcd must not overlook and does not know',
      { extensions: [...good, '1.3.6.1.4.1.99999.1=critical,ASN1:UTF8String:strange'] },
      'has a critical extension that etcd does not know (1.3.6.1.4.1.99999.1)',
    ],
    ['signed with SHA-1', { digest: 'sha1' }, 'is signed with MD5 or SHA-1'],
    [
      'that does not name the key of its authority',
      { extensions: [...good.filter((each) => !each.startsWith('authorityKey')), 'authorityKeyIdentifier=none'] },
      'does not name the key of',
    ],
    [
      'with the common name of another member',
      { request: '', subject: '/O=Example/CN=etcd-2', sameKey: true },
      'common name is etcd-2, not etcd-1',
    ],
  ])('%s is refused, and nothing lands', async (_, making, text) => {
    const { context, back, signed, keys } = await outside();
    const { sameKey, ...rest }: Making & { readonly sameKey?: boolean } = making;
    const bad = signed(sameKey === true ? { ...rest, publicKey: keys.spki } : rest);
    const told = await problems(installExternal(context, [back(signed()), back(bad)]));
    expect(told).toContain(`etcd-1.server.crt: ${text}`);
    expect(await context.store.list('external/')).toEqual([]);
  });

  test('of a stranger, an expired one and a text with a key are refused', async () => {
    const { context, back, signed, keys } = await outside();
    const stranger = signedBy(opensslMade({ subject: '/CN=their root' }), { extensions: good });
    expect(await problems(installExternal(context, [back(stranger)]))).toMatch(/issued by|signature is not of/);
    const late = { ...context, now: () => Date.now() + 91 * 86_400_000 };
    expect(await problems(installExternal(late, [back(signed())]))).toContain('expired');
    const early = { ...context, now: () => Date.now() - 86_400_000 };
    expect(await problems(installExternal(early, [back(signed())]))).toContain('not valid before');
    const key = createPrivateKey(keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const both = signed() + key.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(await problems(installExternal(context, [back(both)]))).toContain('holds a private key');
    expect(await problems(installExternal(context, [back('rubbish')]))).toContain('is no certificate in PEM');
  });

  test('that was good when it came and is not any more is not put on a host', async () => {
    const { context, back, signed, keys } = await outside();
    await installExternal(context, [back(signed())]);
    const request = { member: 'etcd-1', purpose: 'server', publicKey: keys.spki, why: 'x' } as const;
    const moved = { dns: ['etcd-1', 'localhost'], ip: ['10.0.0.9'] };
    await expect(issueMembers(context, [{ ...request, sans: moved }])).rejects.toThrow('SAN 10.0.0.9 is missing');
  });
});
