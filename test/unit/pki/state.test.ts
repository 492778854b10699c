import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { clientTrust, peerTrust } from '../../../src/domain/pki-view.ts';
import { ensureAdmin, openAdmin } from '../../../src/pki/admin.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { openCustody } from '../../../src/pki/custody.ts';
import { openFileStore } from '../../../src/pki/file-store.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { journalKey, readJournal } from '../../../src/pki/journal.ts';
import { issueMembers } from '../../../src/pki/members.ts';
import { createCluster, forgetFormed, loadPki, noteFormed, recordToken } from '../../../src/pki/state.ts';
import type { PkiStore } from '../../../src/pki/store.ts';
import { clusterStore, temporaryFolder, uuid } from './cluster-store.ts';
import { keyPair, serverProfile } from './material.ts';

const { sans } = serverProfile;

async function journal(store: PkiStore) {
  return readJournal((await store.read(journalKey))?.bytes.toString() ?? '', uuid);
}

function request(member: string, purpose: 'server' | 'peer' | 'client') {
  return { member, purpose, publicKey: keyPair('ecdsa-p256').spki, sans, why: 'test' };
}

describe('a store that knows no cluster', () => {
  test('is read as empty, and nothing is written by reading', async () => {
    const folder = join(temporaryFolder(), 'state');
    expect(await loadPki(openFileStore(folder))).toMatchObject({
      identity: undefined,
      authorities: [],
      admin: undefined,
    });
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });
});

describe('a cluster in the store', () => {
  test('keeps the identity that it was first given', async () => {
    const { store } = await clusterStore();
    const again = await createCluster(store, { uuid: crypto.randomUUID(), name: 'prod', token: 'other' }, 0);
    expect(again).toEqual({ uuid, name: 'prod', token: 'prod-1' });
    expect((await loadPki(store)).identity).toEqual(again);
  });

  test('refuses an inventory of another name', async () => {
    const { store } = await clusterStore();
    const other = { uuid, name: 'staging', token: 't' };
    await expect(createCluster(store, other, 0)).rejects.toThrow('belongs to cluster prod, not staging');
  });

  test('refuses to change what has become another cluster', async () => {
    const context = await clusterStore();
    const stranger = { ...context, uuid: crypto.randomUUID() };
    await expect(recordToken(context.store, stranger.uuid, 't')).rejects.toThrow('is now of cluster');
    await expect(createAuthorities(stranger, 'test')).rejects.toThrow('is now of cluster');
    await expect(issueMembers(stranger, [])).rejects.toThrow('is now of cluster');
  });

  test('takes a new token, as a restore needs', async () => {
    const { store } = await clusterStore();
    await recordToken(store, uuid, 'prod-2');
    expect((await loadPki(store)).identity?.token).toBe('prod-2');
  });

  test('knows that the cluster was formed, since when first noted, until that is forgotten', async () => {
    const { store } = await clusterStore();
    const formedAt = async () => (await loadPki(store)).identity?.formedAt;
    expect(await formedAt()).toBeUndefined();
    await noteFormed(store, uuid, '2026-01-01T00:00:00.000Z');
    await noteFormed(store, uuid, '2026-02-02T00:00:00.000Z');
    await recordToken(store, uuid, 'prod-2');
    expect(await formedAt()).toBe('2026-01-01T00:00:00.000Z');
    await forgetFormed(store, uuid);
    await forgetFormed(store, uuid);
    expect(await formedAt()).toBeUndefined();
    await expect(noteFormed(store, crypto.randomUUID(), '')).rejects.toThrow('is now of cluster');
    await expect(forgetFormed(store, crypto.randomUUID())).rejects.toThrow('is now of cluster');
  });

  test('refuses a document of a later version', async () => {
    const { store } = await clusterStore();
    const root = await store.read('cluster.json');
    await store.swap('cluster.json', root?.version ?? null, String(root?.bytes).replace('"schema": 1', '"schema": 2'));
    await expect(loadPki(store)).rejects.toThrow('not written by this version of quorate');
  });
});

describe('creating authorities', () => {
  test('makes one for clients and one for peers, and then nothing', async () => {
    const context = await clusterStore();
    const made = await createAuthorities(context, 'bootstrap');
    expect(made.map((each) => each.id)).toEqual(['client-1', 'peer-1']);
    const before = await journal(context.store);
    expect(await createAuthorities(context, 'again')).toEqual(made);
    expect(await journal(context.store)).toEqual(before);
    const pki = await loadPki(context.store);
    expect(pki.authorities).toEqual(made);
    expect(readCertificate(clientTrust(pki)).commonName).toMatch(/^prod client CA 1 /);
    expect(readCertificate(peerTrust(pki)).commonName).toMatch(/^prod peer CA 1 /);
    expect(before.map((line) => [line.purpose, line.authority])).toEqual([
      ['authority', 'client-1'],
      ['authority', 'peer-1'],
    ]);
  });

  test('makes a single one by choice, and refuses to change its mind', async () => {
    const context = await clusterStore({ policy: { authorities: 'single', algorithm: 'ecdsa-p384' } });
    const [only, ...others] = await createAuthorities(context, 'bootstrap');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ id: 'both-1', hasKey: true, facts: { algorithm: 'ecdsa-p384' } });
    const changed = { ...context, policy: { ...context.policy, authorities: 'separate' as const } };
    await expect(createAuthorities(changed, 'again')).rejects.toThrow(
      'has authority both-1, but pki.authorities is separate',
    );
  });

  test('leaves nothing readable by others, and no private key in the clear', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    await ensureAdmin(context, 'bootstrap');
    const { location } = context.store;
    const keys = await context.store.list('');
    expect(keys).toEqual([
      'ca/client-1.crt',
      'ca/client-1.key.age',
      'ca/peer-1.crt',
      'ca/peer-1.key.age',
      'clients/admin.crt',
      'clients/admin.key.age',
      'cluster.json',
      'issued.jsonl',
    ]);
    for (const name of readdirSync(location, { recursive: true }).map(String)) {
      const path = join(location, name);
      const info = statSync(path);
      expect([name, info.mode & 0o777]).toEqual([name, info.isDirectory() ? 0o700 : 0o600]);
      if (info.isFile()) expect(readFileSync(path, 'utf8')).not.toMatch(/PRIVATE KEY/);
    }
  });

  test.each(['ca/client-1.crt', 'cluster.json', 'issued.jsonl'])(
    'resumes with the same key when it stopped before writing %s',
    async (key) => {
      const context = await clusterStore();
      await expect(createAuthorities({ ...context, store: failingAt(context.store, key) }, 'first')).rejects.toThrow(
        'stop',
      );
      const left = await context.store.read('ca/client-1.key.age');
      expect(left).toBeDefined();
      const made = await createAuthorities(context, 'second');
      expect(made.map((each) => each.id)).toEqual(['client-1', 'peer-1']);
      expect(await context.store.read('ca/client-1.key.age')).toEqual(left);
      const lines = await journal(context.store);
      expect(lines.map((line) => line.sha256)).toEqual(expect.arrayContaining(made.map((each) => each.facts.sha256)));
    },
  );

  test('refuses when the identity does not open the key that is there', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'first');
    const stranger = { ...context, custody: await openCustody([await generateX25519Identity()], []) };
    await expect(createAuthorities(stranger, 'second')).rejects.toThrow(
      'ca/client-1.key.age: your age identity does not open it',
    );
  });

  test('refuses a key that is not the certificate’s', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'first');
    const [client, peer] = await Promise.all(
      ['client', 'peer'].map((name) => context.store.read(`ca/${name}-1.key.age`)),
    );
    await context.store.swap('ca/client-1.key.age', client?.version ?? null, peer?.bytes ?? '');
    await expect(issueMembers(context, [request('etcd-1', 'server')])).rejects.toThrow(
      'is not the key of ca/client-1.crt',
    );
  });
});

describe('issuing for members', () => {
  test('signs each purpose by its authority and records all lines before it returns', async () => {
    const context = await clusterStore();
    const [client, peer] = await createAuthorities(context, 'bootstrap');
    const requests = ['etcd-1', 'etcd-2'].flatMap((member) => [
      request(member, 'server'),
      request(member, 'peer'),
      request(member, 'client'),
    ]);
    const issued = await issueMembers(context, requests);
    expect(issued.map(({ member, purpose }) => ({ member, purpose }))).toEqual(
      requests.map(({ member, purpose }) => ({ member, purpose })),
    );
    for (const { purpose, pem } of issued) {
      const by = purpose === 'peer' ? peer : client;
      expect(readCertificate(pem).issuerDer).toBe(by?.facts.subjectDer);
    }
    const lines = (await journal(context.store)).slice(2);
    expect(lines.map((line) => line.sha256)).toEqual(issued.map((each) => each.sha256));
    expect(lines[0]).toMatchObject({
      commonName: 'etcd-1',
      who: 'tester@unit',
      why: 'test',
      ip: expect.arrayContaining(['::1']),
    });
  });

  test('returns nothing when the journal could not be written', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const broken = { ...context, store: failingAt(context.store, journalKey) };
    await expect(issueMembers(broken, [request('etcd-1', 'server')])).rejects.toThrow('stop');
  });

  test('refuses every unfit request in one error and signs none', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const requests = [
      request('etcd-1', 'server'),
      { ...request('etcd-2', 'server'), publicKey: 'rubbish' },
      { ...request('etcd-3', 'peer'), sans: { dns: [], ip: ['999.1.1.1'] } },
    ];
    const error: unknown = await issueMembers(context, requests).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'refused',
      errors: [
        { host: 'etcd-2', message: expect.stringContaining('etcd-2: server certificate: public key') },
        { host: 'etcd-3', message: expect.stringContaining('"999.1.1.1"') },
      ],
    });
    expect(await journal(context.store)).toHaveLength(2);
  });

  test('refuses to add to a journal that somebody changed', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const found = await context.store.read(journalKey);
    await context.store.swap(
      journalKey,
      found?.version ?? null,
      String(found?.bytes).replace('bootstrap', 'bootstrab'),
    );
    await expect(issueMembers(context, [request('etcd-1', 'server')])).rejects.toThrow('line 2 does not follow');
  });

  test('refuses before there is an authority', async () => {
    const context = await clusterStore();
    await expect(issueMembers(context, [request('etcd-1', 'peer')])).rejects.toThrow('has no peer authority yet');
  });
});

describe('the admin certificate', () => {
  test('is made once, opens, and is public data of the snapshot', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    await expect(openAdmin(context)).rejects.toThrow('the admin certificate is missing');
    const pem = await ensureAdmin(context, 'bootstrap');
    expect(await ensureAdmin(context, 'again')).toBe(pem);
    expect(await journal(context.store)).toHaveLength(3);
    expect((await loadPki(context.store)).adminFacts).toMatchObject({
      commonName: 'root',
      extendedKeyUsages: ['clientAuth'],
    });
    const opened = await openAdmin(context);
    expect(opened.certificate).toBe(pem);
    expect(opened.key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test('is issued anew with its key once it has expired', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const pem = await ensureAdmin(context, 'bootstrap');
    const later = { ...context, now: () => Date.now() + 366 * 86_400_000 };
    const renewed = await ensureAdmin(later, 'expired');
    expect(renewed).not.toBe(pem);
    expect(readCertificate(renewed).spkiSha256).toBe(readCertificate(pem).spkiSha256);
  });

  test('gets another key when the policy wants another algorithm, also after an interruption', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    await ensureAdmin(context, 'bootstrap');
    const changed = { ...context, policy: { ...context.policy, algorithm: 'ecdsa-p384' as const } };
    const broken = { ...changed, store: failingAt(context.store, journalKey) };
    await expect(ensureAdmin(broken, 'algorithm')).rejects.toThrow('stop');
    expect((await loadPki(context.store)).admin).toBeUndefined();
    expect(readCertificate(await ensureAdmin(changed, 'algorithm')).algorithm).toBe('ecdsa-p384');
    await openAdmin(changed);
  });
});

/** A store whose next write of one key fails, as if the process had ended there. */
function failingAt(store: PkiStore, key: string): PkiStore {
  return {
    ...store,
    swap: async (each, expected, bytes) => {
      if (each === key) throw new Error('stop');
      return store.swap(each, expected, bytes);
    },
  };
}
