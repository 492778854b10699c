import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import type { PkiContext } from '../../../src/pki/context.ts';
import { importAuthority } from '../../../src/pki/import.ts';
import { checkAuthority } from '../../../src/pki/import-check.ts';
import { issueMembers } from '../../../src/pki/members.ts';
import { readDocument, readText } from '../../../src/pki/state.ts';
import { activateAuthorities, makeSuccessor } from '../../../src/pki/succession.ts';
import { clusterStore } from './cluster-store.ts';
import { hasOpenssl, opensslVerify } from './judges.ts';
import { keyPair } from './material.ts';
import { authorityExtensions, type Made, opensslMade } from './openssl-authority.ts';

const now = Date.now();

function check(made: Made, change: { readonly chain?: string; readonly key?: string; readonly now?: number } = {}) {
  const offer = { certificate: made.certificate, chain: change.chain ?? '', key: change.key ?? made.key };
  return checkAuthority(offer, { now: change.now ?? Date.now() + 2000, leafLifetimeDays: 365 });
}

function without(word: string): readonly string[] {
  return authorityExtensions.filter((each) => !each.startsWith(word));
}

/** Every complaint of a refusal. */
function complaints(action: () => unknown): string {
  try {
    action();
    return '';
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return (error.errors.length === 0 ? [error] : error.errors)
      .map((each) => `${each.message} (${each.hint})`)
      .join('\n');
  }
}

describe.runIf(hasOpenssl)('an authority from elsewhere', () => {
  test('is taken when it is sound, whatever its key is', () => {
    const rsa = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];
    for (const key of [undefined, rsa]) {
      const accepted = check(opensslMade(key === undefined ? {} : { key }));
      expect(accepted).toMatchObject({ behind: '', warnings: [] });
      expect(accepted.key).toMatch(/^-----BEGIN PRIVATE KEY/);
    }
  });

  test.each([
    ['is no authority', { extensions: without('basicConstraints') }, {}, 'is no authority (basicConstraints'],
    [
      'may not sign',
      { extensions: [...without('keyUsage'), 'keyUsage=critical,cRLSign'] },
      {},
      'may not sign certificates',
    ],
    [
      'has no key identifier',
      { extensions: [...authorityExtensions.slice(0, 2), 'subjectKeyIdentifier=none'] },
      {},
      'no subject key identifier',
    ],
    ['has expired', { days: 1 }, { now: now + 2 * 86_400_000 }, 'has expired'],
    ['is not valid yet', {}, { now: now - 86_400_000 }, 'is not valid yet'],
    ['has a small key', { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] }, {}, 'key of type rsa-1024'],
    ['has a key that etcd takes and quorate does not', { key: ['-algorithm', 'ED25519'] }, {}, 'key of type ed25519'],
  ])('that %s is refused', (_, making, change, text) => {
    expect(complaints(() => check(opensslMade(making), change))).toContain(text);
  });

  test('is refused without its own key, with a protected one, and with everything that is wrong at once', () => {
    const [made, other] = [opensslMade(), opensslMade({ extensions: without('basicConstraints'), days: 1 })];
    expect(complaints(() => check(made, { key: other.key }))).toContain('is not of that key');
    const sealed = execFileSync('openssl', ['pkcs8', '-topk8', '-passout', 'pass:secret-word'], { input: made.key });
    const told = complaints(() => check(made, { key: sealed.toString() }));
    expect(told).toContain('protected by a passphrase');
    expect(told).not.toContain('secret-word');
    expect(complaints(() => check(made, { key: 'rubbish' }))).toContain('its key cannot be read');
    const late = complaints(() => check(other, { now: now + 2 * 86_400_000, key: made.key }));
    for (const each of ['is no authority', 'has expired', 'is not of that key']) expect(late).toContain(each);
  });

  test('warns of a near end, of no cRLSign and of path length 0', () => {
    const extensions = [
      'basicConstraints=critical,CA:TRUE,pathlen:0',
      'keyUsage=critical,keyCertSign',
      ...authorityExtensions.slice(2),
    ];
    const { warnings } = check(opensslMade({ extensions, days: 100 }));
    expect(warnings).toEqual([
      expect.stringContaining('leaves are cut to that'),
      expect.stringContaining('may not sign revocation lists'),
      expect.stringContaining('path length is 0'),
    ]);
  });
});

describe.runIf(hasOpenssl)('an intermediate', () => {
  const root = () => opensslMade({ subject: '/CN=their root' });
  const below = (issuer: Made, subject = '/CN=their intermediate') => opensslMade({ subject, issuer });

  test('is carried behind leaves, so that who trusts its root alone finds the way', () => {
    const top = root();
    const made = below(top);
    expect(check(made, { chain: top.certificate })).toMatchObject({ behind: made.certificate, warnings: [] });
    const bundled = check({ ...made, certificate: made.certificate + top.certificate });
    expect(bundled.behind).toBe(made.certificate);
    expect(check(made).warnings).toEqual([expect.stringContaining('its root is not in the chain')]);
  });

  test('two steps below its root is refused with that chain, and taken without', () => {
    const top = root();
    const middle = below(top, '/CN=middle');
    const last = below(middle);
    const told = complaints(() => check(last, { chain: top.certificate + middle.certificate }));
    expect(told).toContain('has 1 more authorities between it and its root');
    expect(check(last).behind).toBe(last.certificate);
  });

  test.each([
    [
      'with a stranger in its chain',
      (top: Made) => ({ made: below(top), chain: top.certificate + root().certificate }),
      'which has not signed it',
    ],
    [
      'below a root of path length 0',
      () => {
        const top = opensslMade({
          extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', ...authorityExtensions.slice(1)],
        });
        return { made: below(top), chain: top.certificate };
      },
      'allows 0 authorities below it',
    ],
    [
      'signed with SHA-1',
      (top: Made) => ({
        made: opensslMade({ subject: '/CN=old', issuer: top, digest: 'sha1' }),
        chain: top.certificate,
      }),
      'SHA-1',
    ],
  ])('%s is refused', (_, make, text) => {
    const { made, chain } = make(root());
    expect(complaints(() => check(made, { chain }))).toContain(text);
  });
});

describe.runIf(hasOpenssl)('importing', () => {
  const order = (made: Made, purpose: 'client' | 'peer' | 'both' = 'client', chain = '') => ({
    purpose,
    accepted: check(made, { chain }),
    why: 'imported',
  });
  const member = { member: 'etcd-1', purpose: 'server', sans: { dns: ['etcd-1'], ip: [] }, why: 'test' } as const;
  const issue = async (context: PkiContext) => {
    const [leaf] = await issueMembers(context, [{ ...member, publicKey: keyPair('ecdsa-p256').spki }]);
    return leaf?.pem ?? '';
  };

  test('before there is one makes it sign, its key encrypted and opened again', async () => {
    const context = await clusterStore();
    const made = opensslMade();
    const authority = await importAuthority(context, order(made));
    expect(authority).toMatchObject({ id: 'client-1', status: 'active', hasKey: true });
    expect((await context.store.read('ca/client-1.key.age'))?.bytes.toString()).toContain('BEGIN AGE ENCRYPTED FILE');
    expect(opensslVerify(await issue(context), made.certificate, 'sslserver', { dns: ['etcd-1'] })).toBe('');
    await createAuthorities(context, 'bootstrap');
    const { authorities } = await readDocument(context.store);
    expect(authorities.map((each) => `${each.purpose}-${each.number}`)).toEqual(['client-1', 'peer-1']);
  });

  test('afterwards makes it the successor, and again changes nothing', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const made = opensslMade();
    expect(await importAuthority(context, order(made))).toMatchObject({ id: 'client-2', status: 'incoming' });
    const before = [await readText(context.store, 'cluster.json'), await readText(context.store, 'issued.jsonl')];
    expect(await importAuthority(context, order(made))).toMatchObject({ id: 'client-2' });
    expect([await readText(context.store, 'cluster.json'), await readText(context.store, 'issued.jsonl')]).toEqual(
      before,
    );
  });

  test('keeps the way to the root of an intermediate', async () => {
    const context = await clusterStore();
    const root = opensslMade({ subject: '/CN=their root' });
    const made = opensslMade({ subject: '/CN=their intermediate', issuer: root });
    const authority = await importAuthority(context, order(made, 'client', root.certificate));
    expect(authority.cross).toBe(made.certificate);
  });

  test("of an intermediate stands in nobody's way: another one, or one made here, can succeed it", async () => {
    const root = opensslMade({ subject: '/CN=their root' });
    const [made, next] = ['/CN=their first', '/CN=their second'].map((subject) =>
      order(opensslMade({ subject, issuer: root }), 'client', root.certificate),
    );
    if (made === undefined || next === undefined) throw new Error('nothing was made');
    for (const succeed of [
      (context: PkiContext) => importAuthority(context, next),
      (context: PkiContext) => makeSuccessor(context, { purpose: 'client', why: 'rotate', cross: true }),
    ]) {
      const context = await clusterStore();
      await importAuthority(context, made);
      expect(await succeed(context)).toMatchObject({ id: 'client-2', status: 'incoming' });
      await activateAuthorities(context, ['client-2']);
      await expect(importAuthority(context, order(opensslMade()))).rejects.toThrow('is not at its end');
    }
  });

  test('is taken up where it was interrupted at any write', async () => {
    const made = opensslMade();
    for (let write = 1; ; write++) {
      const context = await clusterStore();
      let writes = 0;
      const swap: PkiContext['store']['swap'] = async (key, expected, bytes) => {
        if (++writes === write) throw new Error('killed');
        return context.store.swap(key, expected, bytes);
      };
      const dying = { ...context, store: { ...context.store, swap } };
      const killed = await importAuthority(dying, order(made)).then(
        () => false,
        () => true,
      );
      if (!killed) return expect(write).toBeGreaterThan(4);
      expect(await importAuthority(context, order(made))).toMatchObject({ id: 'client-1', status: 'active' });
      expect(await context.store.list('ca/')).toEqual(['ca/client-1.crt', 'ca/client-1.key.age']);
    }
  });

  test('of another kind than the policy wants is refused', async () => {
    const context = await clusterStore();
    await expect(importAuthority(context, order(opensslMade(), 'both'))).rejects.toMatchObject({
      hint: expect.stringContaining('set pki.authorities to single'),
    });
    const single = await clusterStore({ policy: { authorities: 'single' } });
    expect(await importAuthority(single, order(opensslMade(), 'both'))).toMatchObject({ id: 'both-1' });
  });

  test('without its key is kept as one that somebody else signs with', async () => {
    const context = await clusterStore();
    const accepted = checkAuthority(
      { certificate: opensslMade().certificate, chain: '', key: undefined },
      { now: Date.now() + 2000, leafLifetimeDays: 30 },
    );
    expect(await importAuthority(context, { purpose: 'client', accepted, why: 'x' })).toMatchObject({
      hasKey: false,
      recipients: [],
    });
    await expect(issue(context)).rejects.toThrow('nothing can be signed by client-1');
  });
});
