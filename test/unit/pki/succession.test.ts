import { X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientTrust } from '../../../src/domain/pki-view.ts';
import { ensureAdmin, openAdmin } from '../../../src/pki/admin.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { parseChain } from '../../../src/pki/chain.ts';
import { issueClient } from '../../../src/pki/clients.ts';
import type { PkiContext } from '../../../src/pki/context.ts';
import { readCertificate, splitPem } from '../../../src/pki/inspect.ts';
import { journalKey, readJournal } from '../../../src/pki/journal.ts';
import { issueMembers } from '../../../src/pki/members.ts';
import { readPublicSide } from '../../../src/pki/public-side.ts';
import { renewAuthorities } from '../../../src/pki/renew-authority.ts';
import { loadPki, readDocument } from '../../../src/pki/state.ts';
import type { PkiStore } from '../../../src/pki/store.ts';
import {
  abandonSuccessors,
  activateAuthorities,
  dropCrossCertificates,
  makeSuccessor,
  retireAuthorities,
} from '../../../src/pki/succession.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { clusterStore, uuid } from './cluster-store.ts';
import { certtoolVerify, hasCerttool, hasOpenssl, opensslVerify } from './judges.ts';
import { dayMs, keyPair, serverProfile } from './material.ts';

const order = { purpose: 'client', why: 'rotate', cross: true } as const;

async function built(options: Parameters<typeof clusterStore>[0] = {}) {
  const context = await clusterStore(options);
  await createAuthorities(context, 'bootstrap');
  return context;
}

async function renewAuthority(context: PkiContext, { why, ...order }: { id: string; replaces: string; why: string }) {
  const [renewed] = await renewAuthorities(context, [order], why);
  if (renewed === undefined) throw new Error('nothing was renewed');
  return renewed;
}

async function statuses(context: PkiContext) {
  const { authorities } = await readDocument(context.store);
  return Object.fromEntries(authorities.map((each) => [`${each.purpose}-${each.number}`, each.status]));
}

async function journal({ store }: PkiContext) {
  return readJournal((await store.read(journalKey))?.bytes.toString() ?? '', uuid);
}

async function serverLeaf(context: PkiContext, authority?: string) {
  const { sans } = serverProfile;
  const publicKey = keyPair('ecdsa-p256').spki;
  const request = { member: 'etcd-1', purpose: 'server', publicKey, sans, authority, why: 'test' } as const;
  const [issued] = await issueMembers(context, [request]);
  if (issued === undefined) throw new Error('nothing was issued');
  return issued;
}

/** A rotation whose successor signs. */
async function atLeaves(options: Parameters<typeof clusterStore>[0] = {}) {
  const context = await built(options);
  await makeSuccessor(context, order);
  await activateAuthorities(context, ['client-2']);
  return context;
}

describe('making a successor', () => {
  test('registers one with a key and subject of its own, trusted and signing nothing', async () => {
    const context = await built();
    const made = await makeSuccessor(context, order);
    expect(made).toMatchObject({ id: 'client-2', status: 'incoming', hasKey: true, cross: undefined });
    expect(await statuses(context)).toEqual({ 'client-1': 'active', 'peer-1': 'active', 'client-2': 'incoming' });
    const [first] = (await loadPki(context.store)).authorities;
    expect(made.facts.commonName).toMatch(/^prod client CA 2 /);
    expect(made.facts.spkiSha256).not.toBe(first?.facts.spkiSha256);
    expect(splitPem(clientTrust(await loadPki(context.store)))).toEqual([first?.certificate, made.certificate]);
    expect(readCertificate((await serverLeaf(context)).pem).issuerDer).toBe(first?.facts.subjectDer);
  });

  test('has the predecessor sign its subject and key, noted in the journal', async () => {
    const context = await built();
    const made = await makeSuccessor(context, order);
    const [first] = (await loadPki(context.store)).authorities;
    const cross = readCertificate(made.crossMade ?? '');
    expect(cross).toMatchObject({
      subjectDer: made.facts.subjectDer,
      issuerDer: first?.facts.subjectDer,
      spkiSha256: made.facts.spkiSha256,
      subjectKeyId: made.facts.subjectKeyId,
      authorityKeyId: first?.facts.subjectKeyId,
      isCa: true,
      pathLength: 0,
      keyUsages: ['keyCertSign', 'cRLSign'],
      notAfter: first?.facts.notAfter,
    });
    expect(
      new X509Certificate(made.crossMade ?? '').verify(new X509Certificate(first?.certificate ?? '').publicKey),
    ).toBe(true);
    const lines = (await journal(context)).slice(2);
    expect(lines.map(({ sha256, authority, purpose }) => ({ sha256, authority, purpose }))).toEqual([
      { sha256: made.facts.sha256, authority: 'client-2', purpose: 'authority' },
      { sha256: cross.sha256, authority: 'client-1', purpose: 'authority' },
    ]);
  });

  test('makes nothing anew when it is asked again, nor when authorities are made sure of', async () => {
    const context = await built();
    const made = await makeSuccessor(context, order);
    const before = await journal(context);
    expect(await makeSuccessor(context, order)).toEqual(made);
    await createAuthorities(context, 'bootstrap again');
    expect(await journal(context)).toEqual(before);
    expect(await context.store.list('ca/client-')).toEqual([
      'ca/client-1.crt',
      'ca/client-1.key.age',
      'ca/client-2.cross.crt',
      'ca/client-2.crt',
      'ca/client-2.key.age',
    ]);
  });

  test.each(['ca/client-2.key.age', 'ca/client-2.crt', 'ca/client-2.cross.crt', 'cluster.json', journalKey])(
    'resumes with the same key when it stopped before writing %s',
    async (key) => {
      const context = await built();
      await expect(makeSuccessor({ ...context, store: failingAt(context.store, key) }, order)).rejects.toThrow('stop');
      expect(await statuses(context)).toEqual({ 'client-1': 'active', 'peer-1': 'active' });
      const left = await context.store.read('ca/client-2.key.age');
      const made = await makeSuccessor(context, order);
      expect(made).toMatchObject({ id: 'client-2', crossMade: expect.stringContaining('BEGIN CERTIFICATE') });
      if (left !== undefined) expect(await context.store.read('ca/client-2.key.age')).toEqual(left);
      const hashes = (await journal(context)).map((line) => line.sha256);
      expect(hashes).toEqual(expect.arrayContaining([made.facts.sha256, readCertificate(made.crossMade ?? '').sha256]));
    },
  );

  test('passes over what was left of another policy, or long ago', async () => {
    const context = await built();
    await expect(
      makeSuccessor({ ...context, store: failingAt(context.store, 'cluster.json') }, order),
    ).rejects.toThrow();
    const later = { ...context, now: () => Date.now() + 400 * dayMs };
    expect(await makeSuccessor(later, order)).toMatchObject({ id: 'client-3' });
    const peer = { ...order, purpose: 'peer' } as const;
    await expect(
      makeSuccessor({ ...context, store: failingAt(context.store, 'cluster.json') }, peer),
    ).rejects.toThrow();
    const longer = { ...context, policy: { ...context.policy, caLifetimeDays: 5000 } };
    expect(await makeSuccessor(longer, peer)).toMatchObject({ id: 'peer-3' });
  });

  test('two at once agree on one', async () => {
    const context = await built();
    const [one, other] = await Promise.all([makeSuccessor(context, order), makeSuccessor(context, order)]);
    expect(one).toEqual(other);
    expect((await readDocument(context.store)).authorities).toHaveLength(3);
  });

  test.each([1, 2, 3, 4])('agrees with one who makes it right after read number %i of its files', async (read) => {
    const context = await built();
    let reads = 0;
    const interrupted: PkiStore = {
      ...context.store,
      read: async (key) => {
        const found = await context.store.read(key);
        if (key.startsWith('ca/client-2.') && ++reads === read) await makeSuccessor(context, order);
        return found;
      },
    };
    const made = await makeSuccessor({ ...context, store: interrupted }, order);
    expect(reads).toBeGreaterThanOrEqual(read);
    expect(made.id).toBe('client-2');
    expect((await context.store.list('ca/client-')).filter((each) => each.startsWith('ca/client-3'))).toEqual([]);
    expect((await readDocument(context.store)).authorities).toHaveLength(3);
  });

  test('refuses an expired predecessor, unless no cross certificate is wanted', async () => {
    const context = await built({ policy: { caLifetimeDays: 10, leafLifetimeDays: 5 } });
    const later = { ...context, now: () => Date.now() + 11 * dayMs };
    await expect(makeSuccessor(later, order)).rejects.toThrow("can't sign its successor: it expired");
    const made = await makeSuccessor(later, { ...order, cross: false });
    expect(made).toMatchObject({ status: 'incoming', crossMade: undefined });
    await activateAuthorities(later, [made.id]);
    expect(parseChain((await serverLeaf(later)).pem).behind).toEqual([]);
  });

  test('refuses while another rotation is open', async () => {
    const context = await atLeaves();
    await expect(makeSuccessor(context, order)).rejects.toThrow('from client-1 to client-2 is not at its end');
    await retireAuthorities(context, ['client-1']);
    await expect(makeSuccessor(context, order)).rejects.toThrow('still served with the cross certificate of client-2');
    await dropCrossCertificates(context, ['client-2']);
    expect(await makeSuccessor(context, order)).toMatchObject({ id: 'client-3' });
  });

  test('refuses before there is an authority, and for a store of another cluster', async () => {
    await expect(makeSuccessor(await clusterStore(), order)).rejects.toThrow('no active client authority');
    const context = await built();
    await expect(makeSuccessor({ ...context, uuid: crypto.randomUUID() }, order)).rejects.toThrow('is now of cluster');
  });
});

describe('a rotation in the store', () => {
  test('lets the successor sign, its leaves with the cross certificate, until that is dropped', async () => {
    const context = await atLeaves();
    expect(await statuses(context)).toMatchObject({ 'client-1': 'outgoing', 'client-2': 'active' });
    const pki = await loadPki(context.store);
    const [first, , second] = pki.authorities;
    const issued = await serverLeaf(context, 'client-2');
    const chain = parseChain(issued.pem);
    expect(chain.leaf.facts).toMatchObject({ sha256: issued.sha256, issuerDer: second?.facts.subjectDer });
    expect(splitPem(issued.pem)[1]).toBe(second?.cross);
    expect((await journal(context)).at(-1)).toMatchObject({ authority: 'client-2', sha256: issued.sha256 });
    for (const trusted of [first, second]) {
      const anchor = parseChain(trusted?.certificate ?? '').leaf;
      expect(verifyChain(chain, [anchor], Date.now()).reasons).toEqual([]);
    }
    await retireAuthorities(context, ['client-1']);
    expect(splitPem(clientTrust(await loadPki(context.store)))).toEqual([second?.certificate]);
    expect(parseChain((await serverLeaf(context)).pem).behind).toHaveLength(1);
    await dropCrossCertificates(context, ['client-2']);
    expect(parseChain((await serverLeaf(context)).pem).behind).toEqual([]);
  });

  test.skipIf(!hasOpenssl || !hasCerttool)(
    'has judges verify a leaf below the old authority and below the new one',
    async () => {
      const context = await atLeaves();
      const { pem } = await serverLeaf(context);
      const [first, , second] = (await loadPki(context.store)).authorities;
      const [leaf = '', cross = ''] = splitPem(pem);
      for (const ca of [first?.certificate ?? '', second?.certificate ?? '']) {
        for (const purpose of ['sslserver', 'sslclient'] as const) {
          expect(opensslVerify(leaf, ca, purpose, { untrusted: cross })).toBe('');
        }
        expect(certtoolVerify(pem, ca)).toBe('');
      }
      expect(opensslVerify(leaf, first?.certificate ?? '', 'sslserver')).toContain('unable to get local issuer');
    },
  );

  test('changes nothing when a step is asked for again', async () => {
    const context = await atLeaves();
    const steps = [
      () => activateAuthorities(context, ['client-2']),
      () => retireAuthorities(context, ['client-1']),
      () => dropCrossCertificates(context, ['client-2']),
    ];
    for (const step of steps) {
      await step();
      const before = await context.store.read('cluster.json');
      await step();
      expect(await context.store.read('cluster.json')).toEqual(before);
    }
  });

  test('refuses steps that would cut somebody off, and changes nothing', async () => {
    const context = await built();
    await makeSuccessor(context, order);
    const refusals = [
      [() => retireAuthorities(context, ['client-1']), 'client-1 can’t be retired: it is the one that signs'],
      [() => retireAuthorities(context, ['client-2']), 'client-2 can’t be retired: its rotation has only begun'],
      [() => activateAuthorities(context, ['client-2', 'client-9']), 'has no authority client-9'],
      [() => abandonSuccessors(context, ['client-1']), 'no way back from client-1'],
      [() => serverLeaf(context, 'client-2'), 'client-2 is incoming, and client-1 signs'],
    ] as const;
    const before = await context.store.read('cluster.json');
    for (const [attempt, message] of refusals) await expect(attempt()).rejects.toThrow(message.replace('’', "'"));
    expect(await context.store.read('cluster.json')).toEqual(before);
    await activateAuthorities(context, ['client-2']);
    await expect(activateAuthorities(context, ['client-1'])).rejects.toThrow(
      'client-1 is outgoing, and only an incoming',
    );
    await expect(dropCrossCertificates(context, ['client-2'])).rejects.toThrow('client-1 is trusted');
    await expect(serverLeaf(context, 'client-1')).rejects.toThrow('client-1 is outgoing, and client-2 signs');
  });

  test('goes back: the old authority signs again, then the successor is retired', async () => {
    const context = await atLeaves();
    await abandonSuccessors(context, ['client-2']);
    expect(await statuses(context)).toMatchObject({ 'client-1': 'active', 'client-2': 'outgoing' });
    expect(parseChain((await serverLeaf(context)).pem).behind).toEqual([]);
    await abandonSuccessors(context, ['client-2']);
    await expect(abandonSuccessors(context, ['client-1'])).rejects.toThrow('no way back from client-1');
    await retireAuthorities(context, ['client-2']);
    expect(await statuses(context)).toMatchObject({ 'client-1': 'active', 'client-2': 'retired' });
    expect(await makeSuccessor(context, order)).toMatchObject({ id: 'client-3' });
    await abandonSuccessors(context, ['client-3']);
    expect(await statuses(context)).toMatchObject({ 'client-1': 'active', 'client-3': 'retired' });
  });

  test('has no way back once the old authority is retired', async () => {
    const context = await atLeaves();
    await retireAuthorities(context, ['client-1']);
    await expect(abandonSuccessors(context, ['client-2'])).rejects.toThrow('no way back from client-2');
  });

  test('takes a single authority for all through it too', async () => {
    const context = await built({ policy: { authorities: 'single' } });
    await makeSuccessor(context, { ...order, purpose: 'both' });
    await activateAuthorities(context, ['both-2']);
    await createAuthorities(context, 'bootstrap again');
    expect(await statuses(context)).toEqual({ 'both-1': 'outgoing', 'both-2': 'active' });
    expect(parseChain((await serverLeaf(context)).pem).behind).toHaveLength(1);
  });
});

describe('the public side of a store in a rotation', () => {
  test('tells statuses and the cross certificate, served or not', async () => {
    const context = await built();
    const made = await makeSuccessor(context, order);
    const told = async () =>
      (await readPublicSide(context.store)).authorities.map((each) => [each.id, each.status, each.crossServed]);
    expect(await told()).toEqual([
      ['client-1', 'active', false],
      ['peer-1', 'active', false],
      ['client-2', 'incoming', false],
    ]);
    expect((await readPublicSide(context.store)).authorities[2]?.cross).toBe(made.crossMade);
    await activateAuthorities(context, ['client-2']);
    expect((await told())[2]).toEqual(['client-2', 'active', true]);
  });

  test('reads a client’s certificate with the cross certificate behind it', async () => {
    const context = await atLeaves();
    const wish = { name: 'backup', commonName: 'backup', organization: '', csr: undefined, allowRoot: false } as const;
    const issued = await issueClient(context, { ...wish, lifetimeMs: dayMs });
    expect(parseChain(issued.certificate).behind).toHaveLength(1);
    const { clients, problems } = await readPublicSide(context.store);
    expect({ clients, problems }).toEqual({
      clients: [{ name: 'backup', certificate: issued.certificate }],
      problems: [],
    });
  });

  test('tells a cross certificate that is gone, and nothing is signed without it', async () => {
    const context = await atLeaves();
    rmSync(join(context.store.location, 'ca/client-2.cross.crt'));
    expect((await readPublicSide(context.store)).problems).toEqual([
      `${context.store.location}/ca/client-2.cross.crt: is missing`,
    ]);
    await expect(serverLeaf(context)).rejects.toThrow('client-2.cross.crt: is missing');
  });
});

describe('the admin certificate in a rotation', () => {
  test('is of the authority that signs, and opens with the cross certificate behind it', async () => {
    const context = await built();
    const old = await ensureAdmin(context, 'bootstrap');
    await makeSuccessor(context, order);
    expect(await ensureAdmin(context, 'again')).toBe(old);
    await activateAuthorities(context, ['client-2']);
    const pem = await ensureAdmin(context, 'rotate', 'client-2');
    const [first, , second] = (await loadPki(context.store)).authorities;
    expect(parseChain(pem).leaf.facts.issuerDer).toBe(second?.facts.subjectDer);
    expect(splitPem(pem)[1]).toBe(second?.cross);
    expect(await openAdmin(context)).toMatchObject({ certificate: pem });
    expect((await loadPki(context.store)).adminFacts).toMatchObject({ commonName: 'root' });
    expect(first?.status).toBe('outgoing');
    await expect(ensureAdmin(context, 'rotate', 'client-1')).rejects.toThrow('client-1 is outgoing');
  });

  test('keeps its leaf when the cross certificate is dropped', async () => {
    const context = await atLeaves();
    const [leaf] = splitPem(await ensureAdmin(context, 'rotate'));
    await retireAuthorities(context, ['client-1']);
    await dropCrossCertificates(context, ['client-2']);
    expect(await ensureAdmin(context, 'drop')).toBe(leaf);
  });
});

describe('renewing an authority', () => {
  test('keeps key and subject, changes serial, dates and file; leaves verify below either', async () => {
    const context = await built();
    const { pem } = await serverLeaf(context);
    const [first] = (await loadPki(context.store)).authorities;
    const later = { ...context, now: () => Date.now() + 300 * dayMs };
    const renewal = { id: 'client-1', replaces: first?.facts.sha256 ?? '', why: 'renew' };
    const renewed = await renewAuthority(later, renewal);
    expect(renewed.facts).toMatchObject({
      subjectDer: first?.facts.subjectDer,
      spkiSha256: first?.facts.spkiSha256,
      subjectKeyId: first?.facts.subjectKeyId,
      pathLength: 1,
    });
    expect(renewed.facts.serial).not.toBe(first?.facts.serial);
    expect(renewed.facts.notAfter - (first?.facts.notAfter ?? 0)).toBeGreaterThan(299 * dayMs);
    expect((await readDocument(context.store)).authorities[0]?.certificate).toBe('ca/client-1.2.crt');
    expect(clientTrust(await loadPki(context.store))).toBe(renewed.certificate);
    const leaf = parseChain(pem);
    for (const ca of [first, renewed]) {
      expect(verifyChain(leaf, [parseChain(ca?.certificate ?? '').leaf], Date.now() + 301 * dayMs).reasons).toEqual([]);
      if (hasOpenssl && ca !== renewed) expect(opensslVerify(pem, ca?.certificate ?? '', 'sslserver')).toBe('');
    }
    expect((await journal(context)).at(-1)).toMatchObject({ sha256: renewed.facts.sha256, authority: 'client-1' });
    const before = await journal(context);
    expect(await renewAuthority(later, renewal)).toEqual(renewed);
    expect(await journal(context)).toEqual(before);
    const again = await renewAuthority(later, { ...renewal, replaces: renewed.facts.sha256 });
    expect(again.facts.sha256).not.toBe(renewed.facts.sha256);
  });

  test('brings an expired one back, so that it signs again', async () => {
    const context = await built({ policy: { caLifetimeDays: 10, leafLifetimeDays: 5 } });
    const later = { ...context, now: () => Date.now() + 11 * dayMs };
    await expect(serverLeaf(later)).rejects.toThrow('has expired');
    const [first] = (await loadPki(context.store)).authorities;
    await renewAuthority(later, { id: 'client-1', replaces: first?.facts.sha256 ?? '', why: 'rescue' });
    expect((await serverLeaf(later)).cut).toBe(false);
  });

  test.each(['ca/client-1.2.crt', 'cluster.json', journalKey])(
    'resumes when it stopped before writing %s',
    async (key) => {
      const context = await built();
      const [first] = (await loadPki(context.store)).authorities;
      const renewal = { id: 'client-1', replaces: first?.facts.sha256 ?? '', why: 'renew' };
      await expect(renewAuthority({ ...context, store: failingAt(context.store, key) }, renewal)).rejects.toThrow(
        'stop',
      );
      const renewed = await renewAuthority(context, renewal);
      expect((await journal(context)).map((line) => line.sha256)).toContain(renewed.facts.sha256);
      expect((await readDocument(context.store)).authorities[0]?.certificate).toBe('ca/client-1.2.crt');
    },
  );

  test.each(['ca/client-1.2.crt', 'ca/peer-1.2.crt', 'cluster.json'])(
    'renews several together: where it stopped before writing %s none is, and again all are',
    async (key) => {
      const context = await built();
      const certificates = async () =>
        (await readDocument(context.store)).authorities.map(({ certificate }) => certificate);
      const { authorities } = await loadPki(context.store);
      const orders = authorities.map(({ id, facts }) => ({ id, replaces: facts.sha256 }));
      const stopping = { ...context, store: failingAt(context.store, key) };
      await expect(renewAuthorities(stopping, orders, 'renew')).rejects.toThrow('stop');
      expect(await certificates()).toEqual(['ca/client-1.crt', 'ca/peer-1.crt']);
      await renewAuthorities(context, orders, 'renew');
      expect(await certificates()).toEqual(['ca/client-1.2.crt', 'ca/peer-1.2.crt']);
      await renewAuthorities(context, orders, 'renew');
      expect(await certificates()).toEqual(['ca/client-1.2.crt', 'ca/peer-1.2.crt']);
    },
  );

  test('refuses one that is retired or unknown', async () => {
    const context = await atLeaves();
    await retireAuthorities(context, ['client-1']);
    const [first] = (await loadPki(context.store)).authorities;
    const renewal = { id: 'client-1', replaces: first?.facts.sha256 ?? '', why: 'renew' };
    await expect(renewAuthority(context, renewal)).rejects.toThrow('client-1 is retired');
    await expect(renewAuthority(context, { ...renewal, id: 'peer-7' })).rejects.toThrow('has no authority peer-7');
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
