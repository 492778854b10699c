import { expect, test } from 'vitest';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { journalKey, readJournal } from '../../../src/pki/journal.ts';
import { loadPki } from '../../../src/pki/state.ts';
import { clusterStore, uuid } from './cluster-store.ts';
import { bundleChild, runChild } from './processes.ts';

bundleChild();

test('two processes that issue at once lose no line and use no serial twice', async () => {
  const context = await clusterStore({ policy: { organization: '' } });
  await createAuthorities(context, 'bootstrap');
  const ends = await Promise.all([1, 2].map(() => runChild('issue', context.store.location, context.identity, '10')));
  expect(ends).toEqual(ends.map(() => ({ end: 0, text: '' })));
  const lines = readJournal(String((await context.store.read(journalKey))?.bytes), uuid);
  expect(lines).toHaveLength(2 + 2 * 10 * 2);
  expect(new Set(lines.map((line) => line.serial)).size).toBe(lines.length);
  expect(new Set(lines.map((line) => line.who)).size).toBe(3);
});

test('two processes that make the authorities at once agree on one pair', async () => {
  const context = await clusterStore({ policy: { organization: '' } });
  const { location } = context.store;
  const ends = await Promise.all([1, 2].map(() => runChild('authorities', location, context.identity)));
  expect(ends).toEqual(ends.map(() => ({ end: 0, text: '' })));
  const made = await createAuthorities(context, 'check');
  expect(made.map((each) => each.id)).toEqual(['client-1', 'peer-1']);
  const lines = readJournal(String((await context.store.read(journalKey))?.bytes), uuid);
  expect(lines.map((line) => line.sha256)).toEqual(expect.arrayContaining(made.map((each) => each.facts.sha256)));
});

test.each([
  'ca/client-1.key.age',
  'issued.jsonl',
  'ca/client-1.crt',
  'cluster.json',
  'ca/peer-1.key.age',
  'ca/peer-1.crt',
])('a run that is killed before it writes %s is taken up by the next', async (key) => {
  const context = await clusterStore({ policy: { organization: '' } });
  const { store } = context;
  expect((await runChild('authorities', store.location, context.identity, key)).end).toBe('SIGKILL');
  const left = await store.list('ca/');
  const before = await Promise.all(left.map((each) => store.read(each)));
  await createAuthorities(context, 'second run');
  expect(await Promise.all(left.map((each) => store.read(each)))).toEqual(before);
  expect((await loadPki(store)).authorities.map((each) => each.id)).toEqual(['client-1', 'peer-1']);
  expect(await store.list('ca/')).toHaveLength(4);
});
