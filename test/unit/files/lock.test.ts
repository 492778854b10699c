import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockBeside, withFileLock } from '../../../src/files/lock.ts';

let folder = '';
let lock = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-lock-'));
  lock = lockBeside(join(folder, 'thing'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A lock that a process of another machine took `ageMs` ago. */
function takenElsewhere(ageMs: number): string {
  mkdirSync(lock);
  const file = join(lock, 'ffffffffffff.00000000.1.1.aaaa');
  writeFileSync(file, '');
  utimesSync(file, new Date(), new Date(Date.now() - ageMs));
  return file;
}

describe('a lock', () => {
  it('lies hidden beside its file and is gone afterwards', async () => {
    await withFileLock(lock, { timeoutMs: 50 }, async () => expect(readdirSync(folder)).toEqual(['.thing.lock']));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets one in at a time', async () => {
    let inside = 0;
    const enter = () =>
      withFileLock(lock, { timeoutMs: 5000, abandonedMs: 1000 }, async () => {
        expect(++inside).toBe(1);
        await sleep(5);
        inside--;
      });
    await Promise.all(Array.from({ length: 8 }, enter));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of another machine is never taken over, however old', async () => {
    takenElsewhere(3_600_000);
    await expect(withFileLock(lock, { timeoutMs: 50 }, async () => {})).rejects.toMatchObject({
      code: 'locked',
      message: `${lock}: held by process 1 (ffffffffffff.00000000.1.1.aaaa)`,
    });
  });

  it('that counts as abandoned after a while is taken over then, and no sooner', async () => {
    takenElsewhere(0);
    const options = { timeoutMs: 2000, abandonedMs: 300 };
    const began = performance.now();
    await withFileLock(lock, options, async () => {});
    expect(performance.now() - began).toBeGreaterThan(200);
  });

  it('is kept from counting as abandoned for as long as it is held', async () => {
    await withFileLock(lock, { timeoutMs: 50, abandonedMs: 200 }, async () => {
      const [owner = ''] = readdirSync(lock);
      await sleep(400);
      expect(Date.now() - statSync(join(lock, owner)).mtimeMs).toBeLessThan(200);
    });
  });

  it('stops waiting when it is told to', async () => {
    const abort = new AbortController();
    const waiting = withFileLock(lock, { timeoutMs: 1000 }, () =>
      withFileLock(lock, { timeoutMs: 10_000, signal: abort.signal }, async () => {}),
    );
    setTimeout(() => abort.abort(), 20);
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
});
