import { generateX25519Identity } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { issueClient } from '../../../src/pki/clients.ts';
import type { PkiContext } from '../../../src/pki/context.ts';
import { isListOf, LIST_LIMIT_SERIALS, readRevocationList } from '../../../src/pki/crl.ts';
import { openCustody } from '../../../src/pki/custody.ts';
import { parseCertificate } from '../../../src/pki/inspect.ts';
import { readPublicSide } from '../../../src/pki/public-side.ts';
import { refreshLists, revoke, revokeProvably } from '../../../src/pki/revocation.ts';
import { loadLists } from '../../../src/pki/revocation-lists.ts';
import {
  appendRevocations,
  type Revocation,
  readRevocations,
  readSerial,
  revokedSerials,
} from '../../../src/pki/revoked.ts';
import { loadAuthority, loadPki, readDocument, readText, updateDocument } from '../../../src/pki/state.ts';
import type { PkiStore } from '../../../src/pki/store.ts';
import { clusterStore, uuid } from './cluster-store.ts';

const dayMs = 86_400_000;

function revocation(serial: string, change: Partial<Revocation> = {}): Revocation {
  const notAfter = new Date(Date.now() + 90 * dayMs).toISOString();
  const base = { serial, authority: 'client-1', commonName: 'backup', notAfter, reason: 'key-compromise' } as const;
  return { ...base, why: 'laptop stolen', ...change };
}

async function withAuthorities(options: Parameters<typeof clusterStore>[0] = {}) {
  const context = await clusterStore(options);
  await createAuthorities(context, 'test');
  return context;
}

async function storedList({ store }: PkiContext, key = 'crl/client-1.crl') {
  return readRevocationList((await store.read(key))?.bytes ?? Buffer.alloc(0));
}

/** A promise, and what settles it. */
function signal(): readonly [Promise<void>, () => void] {
  let settle = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return [promise, () => settle()];
}

function at(context: PkiContext, days: number): PkiContext {
  return { ...context, now: () => Date.now() + days * dayMs };
}

describe('revoking', () => {
  test('notes who, when and why, and signs a list with the authority of that use alone', async () => {
    const context = await withAuthorities();
    const issued = await issueClient(context, {
      name: 'backup',
      commonName: 'backup',
      organization: '',
      lifetimeMs: dayMs,
      csr: undefined,
      allowRoot: false,
    });
    const lists = await revoke(context, [revocation(issued.serial)]);
    expect(lists).toMatchObject([{ authority: 'client-1', uses: ['client'], list: { number: 1 } }]);
    const [line] = readRevocations((await readText(context.store, 'revoked.jsonl')) ?? '', uuid);
    expect(line).toMatchObject({ serial: issued.serial, who: 'tester@unit', why: 'laptop stolen' });
    expect((await storedList(context)).revoked).toMatchObject([{ serial: issued.serial, reason: 'key-compromise' }]);
    expect(await context.store.list('crl/')).toEqual(['crl/client-1.crl']);
    expect((await loadPki(context.store)).revoked).toEqual([issued.serial]);
    const [entry] = (await readDocument(context.store)).authorities;
    if (entry === undefined) throw new Error('no authority');
    const { certificate } = await loadAuthority(context.store, entry);
    const { bytes } = (await context.store.read('crl/client-1.crl')) ?? { bytes: Buffer.alloc(0) };
    expect(isListOf(bytes, parseCertificate(certificate))).toBe(true);
  });

  test('again changes nothing, neither record nor list', async () => {
    const context = await withAuthorities();
    await revoke(context, [revocation('5a')]);
    const before = [await readText(context.store, 'revoked.jsonl'), (await storedList(context)).number];
    await revoke(context, [revocation('5a', { why: 'once more' })]);
    expect([await readText(context.store, 'revoked.jsonl'), (await storedList(context)).number]).toEqual(before);
  });

  test('by ten operators at once loses nobody', async () => {
    const context = await withAuthorities();
    const serials = Array.from({ length: 10 }, (_, index) => (0x40 + index).toString(16));
    await Promise.all(serials.map((serial) => revoke(context, [revocation(serial)])));
    expect((await storedList(context)).revoked.map((each) => each.serial)).toEqual(serials);
    expect(readRevocations((await readText(context.store, 'revoked.jsonl')) ?? '', uuid)).toHaveLength(10);
  });

  test.each([1, 2, 3])('loses nobody when another revokes right after read number %i of the record', async (read) => {
    const context = await withAuthorities();
    let reads = 0;
    const interrupted: PkiStore = {
      ...context.store,
      read: async (key) => {
        const found = await context.store.read(key);
        if (key === 'revoked.jsonl' && ++reads === read) await revoke(context, [revocation('5b')]);
        return found;
      },
    };
    await revoke({ ...context, store: interrupted }, [revocation('5a')]);
    expect(reads).toBeGreaterThanOrEqual(read);
    expect((await storedList(context)).revoked.map((each) => each.serial)).toEqual(['5a', '5b']);
  });

  test('begins anew when a list that lacks it is put in between', async () => {
    const context = await withAuthorities();
    const { store } = context;
    const [reached, atSwap] = signal();
    const [opened, open] = signal();
    const slow: PkiStore = {
      ...store,
      swap: async (key, expected, bytes) => {
        if (key.startsWith('crl/')) {
          atSwap();
          await opened;
        }
        return store.swap(key, expected, bytes);
      },
    };
    const other = revoke({ ...context, store: slow }, [revocation('5b')]);
    await reached;
    let reads = 0;
    const interrupted: PkiStore = {
      ...store,
      read: async (key) => {
        const found = await store.read(key);
        if (key === 'revoked.jsonl' && ++reads === 3) {
          open();
          await other;
        }
        return found;
      },
    };
    await revoke({ ...context, store: interrupted }, [revocation('5a')]);
    expect(reads).toBeGreaterThan(3);
    expect((await storedList(context)).revoked.map((each) => each.serial)).toEqual(['5a', '5b']);
  });

  test('is taken up where it was interrupted between record and list', async () => {
    const context = await withAuthorities();
    const stranger = await openCustody([await generateX25519Identity()], []);
    await expect(revoke({ ...context, custody: stranger }, [revocation('5a')])).rejects.toThrow('does not open it');
    expect(await context.store.list('crl/')).toEqual([]);
    await refreshLists(context);
    expect((await storedList(context)).revoked).toMatchObject([{ serial: '5a' }]);
  });

  test('keeps a single authority of both uses off both ports', async () => {
    const context = await withAuthorities({ policy: { authorities: 'single' } });
    const lists = await revoke(context, [revocation('5a', { authority: 'both-1' })]);
    expect(lists).toMatchObject([{ authority: 'both-1', uses: ['client', 'peer'] }]);
    const { authorities } = await readDocument(context.store);
    const views = authorities.map((each) => ({ ...each, id: `${each.purpose}-${each.number}` }));
    const wanted = await loadLists(context.store, { uuid, authorities: views });
    expect(wanted.client).toEqual(wanted.peer);
    expect(wanted.client?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a list', () => {
  test('is never made where nothing was revoked', async () => {
    const context = await withAuthorities();
    expect(await refreshLists(context)).toEqual([]);
    expect(await context.store.list('crl/')).toEqual([]);
  });

  test('forgets what has ended by its date once it is made anew, and is renewed in the last third of its life', async () => {
    const context = await withAuthorities();
    const soon = new Date(Date.now() + dayMs).toISOString();
    await revoke(context, [revocation('5a', { notAfter: soon }), revocation('5b')]);
    const first = await storedList(context);
    expect(first.nextUpdate - Date.now()).toBeGreaterThan(364 * dayMs);
    await refreshLists(at(context, 100));
    expect((await storedList(context)).number).toBe(1);
    await refreshLists(at(context, 300));
    const renewed = await storedList(context);
    expect(renewed).toMatchObject({ number: 2, revoked: [] });
    expect(renewed.nextUpdate).toBeGreaterThan(first.nextUpdate);
  });

  test('of the next authority holds the serials of the one before, and is the one that hosts get', async () => {
    const context = await withAuthorities();
    await revoke(context, [revocation('5a')]);
    const old = (await readDocument(context.store)).authorities.find((each) => each.purpose === 'client');
    if (old === undefined) throw new Error('no authority');
    const key = (await readText(context.store, old.key)) ?? '';
    const certificate = (await readText(context.store, old.certificate)) ?? '';
    await context.store.swap('ca/client-2.crt', null, certificate);
    await context.store.swap('ca/client-2.key.age', null, key);
    const next = { ...old, number: 2, certificate: 'ca/client-2.crt', key: 'ca/client-2.key.age' } as const;
    await updateDocument(context.store, uuid, (document) => ({
      ...document,
      authorities: [
        ...document.authorities.map((each) =>
          each.purpose === 'client' ? ({ ...each, status: 'outgoing' } as const) : each,
        ),
        next,
      ],
    }));
    await refreshLists(context);
    expect((await storedList(context, 'crl/client-2.crl')).revoked).toMatchObject([{ serial: '5a' }]);
    const views = [
      { id: 'client-1', purpose: 'client', status: 'outgoing' },
      { id: 'client-2', purpose: 'client', status: 'active' },
    ] as const;
    const { bytes } = (await context.store.read('crl/client-2.crl')) ?? { bytes: Buffer.alloc(0) };
    expect((await loadLists(context.store, { uuid, authorities: views })).client?.der).toBe(bytes.toString('base64'));
  });

  test('tells until when it lacks a revocation that the record has', async () => {
    const context = await withAuthorities();
    await revoke(context, [revocation('5a')]);
    const authorities = [{ id: 'client-1', purpose: 'client', status: 'active' }] as const;
    const lacking = async () => (await loadLists(context.store, { uuid, authorities })).client?.lacksUntil;
    expect(await lacking()).toBe(0);
    const stranger = await openCustody([await generateX25519Identity()], []);
    const late = revocation('5b');
    await expect(revoke({ ...context, custody: stranger }, [late])).rejects.toThrow('does not open it');
    expect(await lacking()).toBe(Date.parse(late.notAfter));
    await refreshLists(context, ['peer']);
    expect(await lacking()).toBe(Date.parse(late.notAfter));
    await refreshLists(context, ['client']);
    expect(await lacking()).toBe(0);
  });

  test('that is damaged in the store is refused, not sent', async () => {
    const context = await withAuthorities();
    await context.store.swap('crl/client-1.crl', null, '');
    await expect(loadLists(context.store, { uuid, authorities: [] })).rejects.toThrow(
      'crl/client-1.crl: is no revocation list in DER',
    );
  });
});

test('a list that is damaged keeps no revocation from being noted: the list that replaces it has it', async () => {
  const context = await withAuthorities();
  const sans = { dns: ['localhost'], ip: [] };
  await revoke(context, [revocation('5a')]);
  const sound = await context.store.read('crl/client-1.crl');
  await context.store.swap('crl/client-1.crl', sound?.version ?? null, 'no list');
  await expect(revokeProvably(context, [revocation('5b')], sans)).rejects.toThrow('is no revocation list in DER');
  const broken = await context.store.read('crl/client-1.crl');
  await context.store.swap('crl/client-1.crl', broken?.version ?? null, sound?.bytes ?? '');
  const [list] = await revoke(context, []);
  expect(list?.list.revoked.map(({ serial }) => serial)).toEqual(['5a', '5b']);
});

describe('a record that was cut', () => {
  async function cut() {
    const context = await withAuthorities();
    await revoke(context, [revocation('5a')]);
    await revoke(context, [revocation('5b')]);
    const record = await context.store.read('revoked.jsonl');
    const [first = ''] = record?.bytes.toString('utf8').split('\n') ?? [];
    await context.store.swap('revoked.jsonl', record?.version ?? null, `${first}\n`);
    return { context, first: `${first}\n` };
  }

  const complaint =
    'revoked.jsonl: lacks 1 revocation that a list in crl/ has (5b): the next list would make them good';

  test('makes no list, whoever asks for one, and notes nothing more', async () => {
    const { context, first } = await cut();
    const sans = { dns: ['localhost'], ip: [] };
    for (const ask of [
      () => refreshLists(at(context, 300)),
      () => revoke(context, []),
      () => revoke(context, [revocation('5c')]),
      () => revokeProvably(context, [revocation('5c')], sans),
      () => loadLists(context.store, { uuid, authorities: [] }),
    ]) {
      await expect(ask()).rejects.toThrow(complaint);
    }
    expect(await readText(context.store, 'revoked.jsonl')).toBe(first);
    expect((await storedList(context)).revoked.map((each) => each.serial)).toEqual(['5a', '5b']);
    expect((await readPublicSide(context.store)).problems).toEqual([expect.stringContaining(complaint)]);
  });

  test('is whole again once what it lacks is revoked again', async () => {
    const { context } = await cut();
    await revoke(context, [revocation('5b')]);
    await revoke(context, [revocation('5c')]);
    expect((await storedList(context)).revoked.map((each) => each.serial)).toEqual(['5a', '5b', '5c']);
  });

  test('takes what it lacks one by one, and tells what is left', async () => {
    const { context } = await cut();
    const record = await context.store.read('revoked.jsonl');
    await context.store.swap('revoked.jsonl', record?.version ?? null, '');
    await expect(revoke(context, [revocation('5b')])).rejects.toThrow(
      'lacks 1 revocation that a list in crl/ has (5a)',
    );
    await revoke(context, [revocation('5a')]);
    expect((await storedList(context)).revoked.map((each) => each.serial)).toEqual(['5a', '5b']);
  });
});

test('more than one list holds is refused before anything is noted', async () => {
  const context = await withAuthorities();
  const many = Array.from({ length: LIST_LIMIT_SERIALS + 1 }, (_, at) =>
    revocation(`01${at.toString(16).padStart(6, '0')}`),
  );
  const words = `the client list holds 0 revocations, and at most ${LIST_LIMIT_SERIALS} fit`;
  await expect(revoke(context, many)).rejects.toThrow(words);
  await expect(revokeProvably(context, many, { dns: [], ip: [] })).rejects.toThrow(words);
  expect(await readText(context.store, 'revoked.jsonl')).toBeUndefined();
});

test('the record is a chain: what was dropped or changed by hand is told', () => {
  const line = (serial: string) => ({ ...revocation(serial), who: 'a@b', when: '2026-01-01T00:00:00.000Z' });
  const text = appendRevocations(appendRevocations('', uuid, [line('5a')]), uuid, [line('5b'), line('5a')]);
  const [first = '', second = ''] = text.trimEnd().split('\n');
  expect(readRevocations(text, uuid).map((each) => each.serial)).toEqual(['5a', '5b']);
  expect(() => readRevocations(`${second}\n`, uuid)).toThrow('revoked.jsonl: line 1 does not follow');
  expect(() => readRevocations(`${first.replace('5a', '5c')}\n${second}\n`, uuid)).toThrow('line 2 does not follow');
  expect(revokedSerials(readRevocations(text, uuid), 'peer', Date.now())).toEqual([]);
});

test.each([
  ['5A:0B', '5a0b'],
  ['5a0b', '5a0b'],
])('the serial %s is %s', (text, serial) => expect(readSerial(text)).toBe(serial));

test.each(['', 'backup', '5a0', 'ab'.repeat(21)])('%j is no serial', (text) =>
  expect(() => readSerial(text)).toThrow('is no serial'),
);
