import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { ensureAdmin } from '../../../src/pki/admin.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { makeKey } from '../../../src/pki/context.ts';
import { type Custody, openCustody } from '../../../src/pki/custody.ts';
import { findIdentity } from '../../../src/pki/identity.ts';
import { sealIdentity } from '../../../src/pki/passphrase.ts';
import { rekeyStore, storedIdentity } from '../../../src/pki/rekey.ts';
import { readDocument, readText } from '../../../src/pki/state.ts';
import type { PkiStore } from '../../../src/pki/store.ts';
import { clusterStore, temporaryFolder, uuid } from './cluster-store.ts';
import { hasAge, inFolder } from './judges.ts';

const keys = ['ca/client-1.key.age', 'ca/peer-1.key.age', 'clients/admin.key.age'];
const passphrase = 'correct horse battery staple';

async function fullStore() {
  const context = await clusterStore();
  await createAuthorities(context, 'test');
  await ensureAdmin(context, 'test');
  return context;
}

/** How many of the store's keys an identity opens. */
async function opened(store: PkiStore, identity: string | Custody): Promise<number> {
  const custody = typeof identity === 'string' ? await openCustody([identity], []) : identity;
  const tries = keys.map(async (key) => {
    try {
      return (await custody.decrypt((await readText(store, key)) ?? '', key)).startsWith('-----BEGIN PRIVATE KEY');
    } catch {
      return false;
    }
  });
  return (await Promise.all(tries)).filter(Boolean).length;
}

/** The store, ending at its n-th write as a killed process would. */
function dyingAt(store: PkiStore, write: number): PkiStore {
  let writes = 0;
  return {
    ...store,
    swap: async (key, expected, bytes) => {
      if (++writes === write) throw new Error('killed');
      return store.swap(key, expected, bytes);
    },
  };
}

describe('rekeying', () => {
  test('shuts the old identity out of every key, and lets the new and its colleague in', async () => {
    const { store, identity } = await fullStore();
    const [next, colleague] = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
    const recipients = [await identityToRecipient(colleague)];
    const done = await rekeyStore(store, uuid, { old: [identity], identities: [next], recipients, sealed: undefined });
    expect(done.keys).toEqual(keys);
    expect([await opened(store, identity), await opened(store, next), await opened(store, colleague)]).toEqual([
      0, 3, 3,
    ]);
    const { authorities } = await readDocument(store);
    for (const each of authorities) expect(each.recipients).toEqual(done.recipients);
    if (!hasAge) return;
    const read = inFolder({ id: `${next}\n` }, (folder) =>
      execFileSync('age', ['-d', '-i', join(folder, 'id'), join(store.location, keys[0] ?? '')]).toString(),
    );
    expect(read).toContain('BEGIN PRIVATE KEY');
  });

  test('can be killed at every write: old or new always opens all, and running again ends it', async () => {
    for (let write = 1; ; write++) {
      const { store, identity } = await fullStore();
      const next = await generateX25519Identity();
      const wish = { old: [identity], identities: [next], recipients: [], sealed: undefined };
      const killed = await rekeyStore(dyingAt(store, write), uuid, wish).then(
        () => false,
        () => true,
      );
      if (!killed) {
        expect(write).toBeGreaterThan(keys.length * 2);
        return;
      }
      expect(Math.max(await opened(store, identity), await opened(store, next))).toBe(3);
      await rekeyStore(store, uuid, wish);
      expect([await opened(store, identity), await opened(store, next)]).toEqual([0, 3]);
    }
  });

  test('changes nothing where one key does not open', async () => {
    const { store, identity } = await fullStore();
    const stranger = await openCustody([await generateX25519Identity()], []);
    const before = await readText(store, 'ca/client-1.key.age');
    const current = await store.read('clients/admin.key.age');
    await store.swap('clients/admin.key.age', current?.version ?? null, await stranger.encrypt('x'));
    const wish = { old: [identity], identities: [await generateX25519Identity()], recipients: [], sealed: undefined };
    await expect(rekeyStore(store, uuid, wish)).rejects.toThrow('clients/admin.key.age: your age identity');
    expect(await readText(store, 'ca/client-1.key.age')).toBe(before);
  });

  test('takes up a key that somebody makes meanwhile with the old identity', async () => {
    const context = await fullStore();
    const { store, identity } = context;
    const next = await generateX25519Identity();
    let writes = 0;
    const busy: PkiStore = {
      ...store,
      swap: async (key, expected, bytes) => {
        if (++writes === 5) await makeKey(context, 'ca/client-2.key.age');
        return store.swap(key, expected, bytes);
      },
    };
    await rekeyStore(busy, uuid, { old: [identity], identities: [next], recipients: [], sealed: undefined });
    const custody = await openCustody([next], []);
    expect(await custody.decrypt((await readText(store, 'ca/client-2.key.age')) ?? '', 'x')).toContain('PRIVATE KEY');
  });

  test('to a passphrase keeps the new identity in the store, and away again takes it out', async () => {
    const { store, identity } = await fullStore();
    const inner = await generateX25519Identity();
    const sealed = await sealIdentity(inner, passphrase);
    await rekeyStore(store, uuid, { old: [identity], identities: [inner], recipients: [], sealed });
    expect(await opened(store, identity)).toBe(0);
    const stored = await storedIdentity(store);
    const home = temporaryFolder();
    const env = { QUORATE_PASSPHRASE: passphrase };
    const found = await findIdentity({ env, home, stored });
    expect(found).toMatchObject({ source: `${store.location}/custody/identity.age`, stored: true, made: false });
    expect(await opened(store, await openCustody(found.keys, []))).toBe(3);
    await rekeyStore(store, uuid, { old: found.keys, identities: [identity], recipients: [], sealed: undefined });
    expect(await storedIdentity(store)).toBeUndefined();
    expect([await opened(store, identity), await opened(store, inner)]).toEqual([3, 0]);
  }, 60_000);
});

describe('an identity behind a passphrase', () => {
  test('is opened by the passphrase of the environment or of a person, and by no other', async () => {
    const identity = await generateX25519Identity();
    const home = temporaryFolder();
    const file = join(home, 'id.age');
    writeFileSync(file, await sealIdentity(identity, passphrase), { mode: 0o600 });
    const asked = await findIdentity({ file, env: {}, home, askPassphrase: async () => passphrase });
    expect(asked.keys).toEqual([identity]);
    const wrong = { QUORATE_PASSPHRASE: 'something else entirely' };
    const error: unknown = await findIdentity({ file, env: wrong, home }).catch((caught: unknown) => caught);
    expect(String(error)).toContain('id.age: the passphrase does not open the age identity');
    expect(JSON.stringify([error, String(error)])).not.toContain('something else');
    await expect(findIdentity({ file, env: {}, home })).rejects.toMatchObject({
      message: expect.stringContaining('protected by a passphrase'),
      hint: expect.stringContaining('QUORATE_PASSPHRASE'),
    });
  }, 60_000);

  test.skipIf(!hasAge)(
    'is read by the age command, as its own',
    async () => {
      const identity = await generateX25519Identity();
      const file = join(temporaryFolder(), 'id.age');
      writeFileSync(file, await sealIdentity(identity, passphrase), { mode: 0o600 });
      const terminal = ['-qec', `age --decrypt ${file}`, '/dev/null'];
      expect(execFileSync('script', terminal, { input: `${passphrase}\n`, encoding: 'utf8' })).toContain(identity);
    },
    60_000,
  );

  test('needs a passphrase that is worth one', async () => {
    await expect(sealIdentity(await generateX25519Identity(), 'short')).rejects.toThrow('fewer than 12 characters');
  });
});
