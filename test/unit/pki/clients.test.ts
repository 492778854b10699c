import { createPrivateKey, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClientOrder } from '../../../src/domain/client-order.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { issueClient } from '../../../src/pki/clients.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { spkiHash } from '../../../src/pki/public-key.ts';
import { readPublicSide } from '../../../src/pki/public-side.ts';
import { clusterStore } from './cluster-store.ts';
import { certtoolVerify, hasCerttool, hasOpenssl, opensslVerify } from './judges.ts';

const dayMs = 86_400_000;

function order(change: Partial<ClientOrder> = {}): ClientOrder {
  const base = { name: 'backup', commonName: 'backup', organization: 'Ops', lifetimeMs: 30 * dayMs };
  return { ...base, csr: undefined, allowRoot: false, ...change };
}

async function withAuthorities(policy: Parameters<typeof clusterStore>[0] = {}) {
  const context = await clusterStore(policy);
  const [client] = await createAuthorities(context, 'test');
  return { context, ca: client?.certificate ?? '' };
}

describe("a client's certificate", () => {
  test('is for the key that comes with it, as asked for, and judged good by others', async () => {
    const { context, ca } = await withAuthorities();
    const issued = await issueClient(context, order());
    const facts = readCertificate(issued.certificate);
    expect(facts).toMatchObject({
      commonName: 'backup',
      organization: 'Ops',
      extendedKeyUsages: ['clientAuth'],
      isCa: false,
    });
    expect(facts.sans).toEqual({ dns: [], ip: [] });
    expect(Math.round((facts.notAfter - Date.now()) / dayMs)).toBe(30);
    const spki = createPublicKey(createPrivateKey(issued.key ?? '')).export({ type: 'spki', format: 'der' });
    expect(spkiHash(spki)).toBe(facts.spkiSha256);
    if (hasOpenssl) expect(opensslVerify(issued.certificate, ca, 'sslclient')).toBe('');
    if (hasCerttool) expect(certtoolVerify(issued.certificate, ca)).toBe('');
  });

  test('is in the journal and in the store; its key is nowhere', async () => {
    const { context } = await withAuthorities();
    const issued = await issueClient(context, order());
    const store = await readPublicSide(context.store);
    expect(store.clients).toEqual([{ name: 'backup', certificate: issued.certificate }]);
    expect(store.issued?.at(-1)).toMatchObject({ serial: issued.serial, commonName: 'backup', purpose: 'client' });
    expect(await context.store.list('clients/backup')).toEqual(['clients/backup.crt']);
    for (const key of await context.store.list('')) {
      expect((await context.store.read(key))?.bytes.toString()).not.toContain('BEGIN PRIVATE KEY');
    }
  });

  test('stands in the journal where the store refuses it: recorded before it leaves', async () => {
    const { context } = await withAuthorities();
    const { store } = context;
    const broken = {
      ...store,
      swap: async (key: string, expected: string | null, bytes: Uint8Array | string) => {
        if (key.startsWith('clients/')) throw new Error('the disk is full');
        return store.swap(key, expected, bytes);
      },
    };
    await expect(issueClient({ ...context, store: broken }, order())).rejects.toThrow('the disk is full');
    expect((await readPublicSide(store)).issued?.at(-1)?.commonName).toBe('backup');
  });

  test('of two operators at once: both are in the journal, and one of them in the store', async () => {
    const { context } = await withAuthorities();
    const both = await Promise.all([issueClient(context, order()), issueClient(context, order())]);
    const { issued, clients } = await readPublicSide(context.store);
    const serials = both.map((each) => each.serial);
    expect(issued?.map((each) => each.serial)).toEqual(expect.arrayContaining(serials));
    expect(new Set(issued?.map((each) => each.serial)).size).toBe(issued?.length);
    expect(serials).toContain(readCertificate(clients[0]?.certificate ?? '').serial);
  });

  test("is cut to its authority's end, and says so", async () => {
    const { context } = await withAuthorities({ policy: { caLifetimeDays: 20 } });
    const issued = await issueClient(context, order());
    expect(issued.cut).toBe(true);
    expect(Math.round((issued.notAfter - Date.now()) / dayMs)).toBe(20);
  });

  test.each([
    [{ commonName: 'root' }, "CN=root is etcd's superuser"],
    [{ commonName: 'quorate-etcd-1' }, "are those of the members' own clients"],
    [{ lifetimeMs: 366 * dayMs }, "366 d is longer than the policy's 365 d"],
    [{ lifetimeMs: 0 }, 'it would end as it begins'],
    [{ name: 'admin' }, 'is no name for a client'],
    [{ name: '../ca/client-1' }, 'is no name for a client'],
    [{ name: 'Backup' }, 'is no name for a client'],
    [{ csr: 'rubbish' }, 'is not one PEM block'],
  ])('asked for with %j is refused, and nothing is recorded', async (change, message) => {
    const { context } = await withAuthorities();
    const before = (await readPublicSide(context.store)).issued?.length;
    await expect(issueClient(context, order(change))).rejects.toThrow(message);
    const after = await readPublicSide(context.store);
    expect(after.issued?.length).toBe(before);
    expect(after.clients).toEqual([]);
  });

  test('of root is issued where it is meant', async () => {
    const { context } = await withAuthorities();
    const issued = await issueClient(context, order({ commonName: 'root', allowRoot: true }));
    expect(readCertificate(issued.certificate).commonName).toBe('root');
  });

  test('holds under any allowed order', async () => {
    const { context, ca } = await withAuthorities();
    const names = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,10}[a-z0-9])?$/).filter((name) => name !== 'admin');
    const lifetimes = fc.integer({ min: 60_000, max: 365 * dayMs });
    const texts = fc
      .string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' })
      .filter((text) => !/^(root$|quorate-)/.test(text));
    await fc.assert(
      fc.asyncProperty(names, texts, lifetimes, async (name, commonName, lifetimeMs) => {
        const issued = await issueClient(context, order({ name, commonName, lifetimeMs, organization: '' }));
        const facts = readCertificate(issued.certificate);
        expect([facts.commonName, facts.organization]).toEqual([commonName, '']);
        expect(facts.notAfter).toBeLessThanOrEqual(Date.now() + lifetimeMs);
        if (hasOpenssl) expect(opensslVerify(issued.certificate, ca, 'sslclient')).toBe('');
      }),
      { numRuns: 15 },
    );
  });
});
