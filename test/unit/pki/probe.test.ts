import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { readJournal } from '../../../src/pki/journal.ts';
import { issueProbe, PROBE_LIFETIME_MINUTES } from '../../../src/pki/probe.ts';
import { readText } from '../../../src/pki/state.ts';
import { clusterStore, uuid } from './cluster-store.ts';

it('makes a certificate of the peer authority for minutes, without a name, and notes it in the journal', async () => {
  const context = await clusterStore();
  const authorities = await createAuthorities(context, 'test');
  const probe = await issueProbe(context, 'a proof');
  const facts = readCertificate(probe?.cert ?? '');
  const peer = authorities.find((each) => each.purpose === 'peer');
  expect(new X509Certificate(probe?.cert ?? '').verify(new X509Certificate(peer?.certificate ?? '').publicKey)).toBe(
    true,
  );
  expect(facts.sans).toEqual({ dns: [], ip: [] });
  expect(facts.notAfter - context.now()).toBeLessThanOrEqual(PROBE_LIFETIME_MINUTES * 60_000);
  expect(facts.notAfter).toBeGreaterThan(context.now() + (PROBE_LIFETIME_MINUTES - 2) * 60_000);
  const journal = readJournal((await readText(context.store, 'issued.jsonl')) ?? '', uuid);
  expect(journal.at(-1)).toMatchObject({ sha256: facts.sha256, purpose: 'peer', authority: 'peer-1', why: 'a proof' });
});

it('keeps no key of it in the store', async () => {
  const context = await clusterStore();
  await createAuthorities(context, 'test');
  const before = await context.store.list('');
  await issueProbe(context, 'a proof');
  expect(await context.store.list('')).toEqual(before);
});
