import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withFileLock } from '../../../src/files/lock.ts';
import { openFileStore } from '../../../src/pki/file-store.ts';
import { StoreConflict, updateObject } from '../../../src/pki/store.ts';
import { temporaryFolder } from './cluster-store.ts';
import { bundleChild, lineOf, runChild, startChild } from './processes.ts';

bundleChild();

describe('a file store', () => {
  test('swaps only from the version that is there', async () => {
    const store = openFileStore(join(temporaryFolder(), 'a', 'b'));
    expect(await store.read('ca/x.crt')).toBeUndefined();
    const first = await store.swap('ca/x.crt', null, 'one');
    await expect(store.swap('ca/x.crt', null, 'two')).rejects.toThrow(StoreConflict);
    const second = await store.swap('ca/x.crt', first, 'two');
    await expect(store.swap('ca/x.crt', first, 'three')).rejects.toThrow(StoreConflict);
    expect(await store.read('ca/x.crt')).toEqual({ bytes: Buffer.from('two'), version: second });
    await expect(store.swap('ca/y.crt', second, 'x')).rejects.toThrow(StoreConflict);
  });

  test('lists keys by prefix and nothing that it keeps for itself', async () => {
    const folder = temporaryFolder();
    const store = openFileStore(folder);
    for (const key of ['b', 'ca/2', 'ca/1']) await store.swap(key, null, key);
    writeFileSync(join(folder, '.hidden'), '');
    expect(await store.list('')).toEqual(['b', 'ca/1', 'ca/2']);
    expect(await store.list('ca/')).toEqual(['ca/1', 'ca/2']);
    expect(await openFileStore(join(folder, 'absent')).list('')).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['.hidden', 'b', 'ca']);
  });

  test('lists everything while others write', async () => {
    const store = openFileStore(temporaryFolder());
    await store.swap('ca/1', null, 'stays');
    let writing = true;
    const write = async (key: string): Promise<void> => {
      while (writing) await updateObject(store, key, (bytes) => `${bytes?.length ?? 0}${bytes ?? ''}`.slice(0, 9));
    };
    const writers = ['ca/2', 'b/1'].map((key) => write(key));
    const lists = [];
    for (let round = 0; round < 150; round++) lists.push(await store.list('ca/1'));
    writing = false;
    await Promise.all(writers);
    expect(lists.filter((each) => each.length !== 1)).toEqual([]);
  });

  test.each(['../x', '/x', 'a//b', '.x', 'a/.x', 'A', '', 'a/..', 'a\n'])('takes no key %j', async (key) => {
    const store = openFileStore(temporaryFolder());
    await expect(async () => store.read(key)).rejects.toThrow('not a store key');
  });

  test('lets exactly one of several processes win a swap from the same version', async () => {
    const folder = temporaryFolder();
    await openFileStore(folder).swap('race', null, 'start');
    const racers = Array.from({ length: 4 }, () => startChild('race', folder));
    await Promise.all(racers.map(lineOf));
    const ends = racers.map(lineOf);
    for (const racer of racers) racer.stdin.write('go\n');
    expect((await Promise.all(ends)).sort()).toEqual(['lost', 'lost', 'lost', 'won']);
  });

  test('loses no update of processes that change one object at once', async () => {
    const folder = temporaryFolder();
    const ends = await Promise.all(Array.from({ length: 3 }, () => runChild('count', folder, '20')));
    expect(ends).toEqual(ends.map(() => ({ end: 0, text: '' })));
    expect((await openFileStore(folder).read('count'))?.bytes.toString()).toBe('60');
    expect(readdirSync(folder)).toEqual(['count']);
  });

  test('tells by the time limit when others keep changing an object', async () => {
    const store = openFileStore(temporaryFolder());
    const stubborn = { ...store, swap: () => Promise.reject(new StoreConflict('x')) };
    await expect(updateObject(stubborn, 'x', () => 'y')).rejects.toThrow('others keep changing x');
  });
});

describe('the lock of a store', () => {
  test('of a process that was killed is taken over, its unfinished file cleared away', async () => {
    const folder = temporaryFolder();
    const lock = join(folder, '.count.lock');
    const holder = startChild('hold', lock);
    await lineOf(holder);
    const [owner = ''] = readdirSync(lock);
    writeFileSync(join(lock, `${owner}.new`), 'half');
    const patient = openFileStore(folder, { timeoutMs: 5000 }).swap('count', null, '1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(existsSync(join(folder, 'count'))).toBe(false);
    holder.kill('SIGKILL');
    await once(holder, 'close');
    await patient;
    expect(readdirSync(folder)).toEqual(['count']);
  });

  test('of a living process is respected until the time limit, and its holder named', async () => {
    const folder = temporaryFolder();
    const lock = join(folder, '.count.lock');
    const holder = startChild('hold', lock);
    await lineOf(holder);
    const waiting = openFileStore(folder, { timeoutMs: 100 }).swap('count', null, '1');
    await expect(waiting).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${holder.pid}`),
    });
    holder.kill('SIGKILL');
  });

  test('of a process whose number another has now is taken over', async () => {
    const folder = temporaryFolder();
    const lock = join(folder, 'lock');
    const holder = startChild('hold', lock);
    await lineOf(holder);
    const [owner = ''] = readdirSync(lock);
    holder.kill('SIGKILL');
    await once(holder, 'close');
    const [machine, boot, , , nonce] = owner.split('.');
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, `${machine}.${boot}.${process.pid}.1.${nonce}`), '');
    await withFileLock(lock, { timeoutMs: 1000 }, async () => {});
    expect(readdirSync(folder)).toEqual([]);
  });
});
