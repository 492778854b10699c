/** A store whose client authority signs elsewhere: what is made beside it, what is refused before anything is noted. */
import { generateX25519Identity } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { prepareAdminKey, requestAdmin } from '../../../src/pki/admin.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { issueClient } from '../../../src/pki/clients.ts';
import type { PkiContext } from '../../../src/pki/context.ts';
import { readRequest } from '../../../src/pki/csr.ts';
import { installExternal } from '../../../src/pki/external.ts';
import { importAuthority } from '../../../src/pki/import.ts';
import { checkAuthority } from '../../../src/pki/import-check.ts';
import { adminProfile } from '../../../src/pki/profile.ts';
import { readPublicKey, spkiHash } from '../../../src/pki/public-key.ts';
import { rekeyStore } from '../../../src/pki/rekey.ts';
import { refreshLists, revokeProvably } from '../../../src/pki/revocation.ts';
import { loadPki, readDocument, readText, updateDocument } from '../../../src/pki/state.ts';
import { updateObject } from '../../../src/pki/store.ts';
import { replaceExpired } from '../../../src/pki/succession.ts';
import { clusterStore, uuid } from './cluster-store.ts';
import { hasOpenssl } from './judges.ts';
import { opensslMade } from './openssl-authority.ts';

const policy = { external: ['client'] } as const;
const sans = { dns: ['localhost'], ip: [] };
const made = opensslMade;

async function taken(context: PkiContext, ca = made({ subject: '/CN=Corp CA' })) {
  const offer = { certificate: ca.certificate, chain: '', key: undefined };
  const accepted = checkAuthority(offer, { now: Date.now() + 2000, leafLifetimeDays: 30 });
  return importAuthority(context, { purpose: 'client', accepted, why: 'test' });
}

/** Client authority elsewhere, peers of its own. */
async function outside() {
  const context = { ...(await clusterStore({ policy })), now: () => Date.now() + 2000 };
  const ca = made({ subject: '/CN=Corp CA' });
  await taken(context, ca);
  await createAuthorities(context, 'bootstrap');
  return { context, ca };
}

function revocation(authority: string) {
  const notAfter = new Date(Date.now() + 86_400_000).toISOString();
  return { serial: '4a5b', authority, commonName: 'backup', notAfter, reason: 'unspecified', why: 'lost' } as const;
}

async function everything({ store }: PkiContext): Promise<Readonly<Record<string, string | undefined>>> {
  const keys = await store.list('');
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await readText(store, key)] as const)));
}

describe.runIf(hasOpenssl)('an authority elsewhere', () => {
  test('is not made here, and those beside it are', async () => {
    const early = await clusterStore({ policy });
    await expect(createAuthorities(early, 'bootstrap')).rejects.toThrow('the client authority signs elsewhere');
    expect((await readDocument(early.store)).authorities).toEqual([]);
    const { context } = await outside();
    const { authorities } = await loadPki(context.store);
    expect(authorities.map(({ id, signsElsewhere }) => [id, signsElsewhere])).toEqual([
      ['client-1', true],
      ['peer-1', false],
    ]);
  });

  test('is another thing than one whose key was lost', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const lost = { ...context, store: { ...context.store, read: without(context), list: listWithout(context) } };
    expect((await loadPki(lost.store)).authorities[0]).toMatchObject({ hasKey: false, signsElsewhere: false });
    await expect(createAuthorities(lost, 'again')).rejects.toMatchObject({
      hint: 'restore it from your backup or git',
    });
  });

  test('issues nothing to clients here, and says who does', async () => {
    const { context } = await outside();
    const order = { name: 'backup', commonName: 'backup', organization: '', lifetimeMs: 1000, allowRoot: false };
    await expect(issueClient(context, { ...order, csr: undefined })).rejects.toMatchObject({
      message: expect.stringContaining('client-1 signs elsewhere'),
      hint: expect.stringContaining('clientAuth'),
    });
  });

  test('has nothing revoked, and nothing noted of it; peers go on to be', async () => {
    const { context } = await outside();
    const before = await everything(context);
    await expect(revokeProvably(context, [revocation('client-1')], sans)).rejects.toMatchObject({
      message: expect.stringContaining('client-1 signs elsewhere, so no revocation list of it can be made here'),
      hint: expect.stringContaining('etcdctl user delete'),
    });
    expect(await everything(context)).toEqual(before);
    expect(await revokeProvably(context, [revocation('peer-1')], sans)).toMatchObject([{ authority: 'peer-1' }]);
  });

  test('leaves the lists of the authority before it as they are', async () => {
    const context = { ...(await clusterStore({ policy: {} })), now: () => Date.now() + 2000 };
    await createAuthorities(context, 'bootstrap');
    await revokeProvably(context, [revocation('client-1')], sans);
    const list = await readText(context.store, 'crl/client-1.crl');
    const entry = { ...(await readDocument(context.store)).authorities[0], recipients: [], key: 'ca/none.key.age' };
    await updateDocument(context.store, uuid, (document) => ({
      ...document,
      authorities: document.authorities.map((each) => (each.purpose === 'client' ? { ...each, ...entry } : each)),
    }));
    expect(await refreshLists(context)).toEqual([]);
    expect(await readText(context.store, 'crl/client-1.crl')).toBe(list);
  });

  test('stays one when the keys that there are get other recipients', async () => {
    const { context } = await outside();
    const next = await generateX25519Identity();
    const wish = { old: [context.identity], identities: [next], recipients: [], sealed: undefined };
    expect((await rekeyStore(context.store, uuid, wish)).keys).toEqual(['ca/peer-1.key.age']);
    const { authorities } = await loadPki(context.store);
    expect(authorities.map((each) => each.recipients.length)).toEqual([0, 1]);
    expect(authorities[0]?.signsElsewhere).toBe(true);
  });

  test("is asked for the operator's certificate with a key that stays the same", async () => {
    const { context, ca } = await outside();
    await prepareAdminKey(context);
    const pem = await requestAdmin(context);
    await prepareAdminKey(context);
    const again = await requestAdmin(context);
    const [first, second] = [pem, again].map((each) => readRequest(each, 'the request'));
    expect(second).toEqual(first);
    expect(await readText(context.store, 'clients/admin.key.age')).toContain('BEGIN AGE ENCRYPTED FILE');
    const { adminPublicKey = '', adminKey } = await loadPki(context.store);
    const publicKey = readPublicKey(adminPublicKey, 'ecdsa-p256');
    expect(adminKey).toBe(spkiHash(publicKey.der));
    const extensions = ['basicConstraints=CA:FALSE', 'extendedKeyUsage=clientAuth', 'authorityKeyIdentifier=keyid'];
    const sound = await readText(context.store, 'clients/admin.pub');
    await updateObject(context.store, 'clients/admin.pub', () => 'rubbish');
    await expect(loadPki(context.store)).rejects.toMatchObject({ hint: expect.stringContaining('external request') });
    await updateObject(context.store, 'clients/admin.pub', () => sound);
    const signed = made({ request: pem, issuer: ca, extensions, days: 30 }).certificate;
    const returned = { pem: signed, profile: adminProfile(context.policy), publicKey, what: 'operator' };
    await installExternal(context, [{ ...returned, authority: 'client-1' }]);
    expect((await loadPki(context.store)).external?.[adminKey ?? '']).toBe(signed);
  });

  test('gives its place up once it has expired, and not before', async () => {
    const { context } = await outside();
    expect(await taken(context)).toMatchObject({ id: 'client-2', status: 'incoming' });
    await expect(replaceExpired(context, ['client-2'])).rejects.toThrow('client-1 has not expired');
    const late = { ...context, now: () => Date.now() + 4000 * 86_400_000 };
    await replaceExpired(late, ['client-2']);
    await replaceExpired(late, ['client-2']);
    const { authorities } = await readDocument(context.store);
    expect(authorities.map((each) => [each.purpose, each.number, each.status])).toEqual([
      ['client', 1, 'retired'],
      ['peer', 1, 'active'],
      ['client', 2, 'active'],
    ]);
  });
});

function without({ store }: PkiContext): PkiContext['store']['read'] {
  return async (key) => (key === 'ca/client-1.key.age' ? undefined : store.read(key));
}

function listWithout({ store }: PkiContext): PkiContext['store']['list'] {
  return async (prefix) => (await store.list(prefix)).filter((key) => key !== 'ca/client-1.key.age');
}
