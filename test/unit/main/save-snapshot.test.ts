import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { saveSnapshot } from '../../../src/main/save-snapshot.ts';

describe('saving a snapshot', () => {
  let folder = '';
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'quorate-snapshot-')), 'snapshots');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  const database = Buffer.alloc(4096, 'x');
  const trailer = createHash('sha256').update(database).digest();

  /** In pieces of these lengths, the rest as one. */
  async function* pieces(bytes: Buffer, ...lengths: readonly number[]) {
    let at = 0;
    for (const length of [...lengths, bytes.length]) {
      const piece = bytes.subarray(at, at + length);
      at += piece.length;
      if (piece.length > 0) yield { bytes: piece, remainingBytes: bytes.length - at };
    }
  }

  it.each([[], [4096], [1, 2, 3], [4100, 20], [4127]])(
    'keeps one whose trailer is right, cut at %s',
    async (...cuts) => {
      const whole = Buffer.concat([database, trailer]);
      const saved = await saveSnapshot({ host: 'etcd-1', pieces: pieces(whole, ...cuts) }, folder, 'a.db');
      expect(saved).toEqual({ path: join(folder, 'a.db'), sizeBytes: 4128, sha256: trailer.toString('hex') });
      expect(await readFile(saved.path)).toEqual(whole);
      expect((await stat(saved.path)).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
    },
  );

  const flipped = Buffer.concat([database, trailer]);
  flipped[100] = 0;
  it.each([
    ['a flipped octet', flipped, /its trailer says/],
    ['a missing trailer', database, /ends after 4096 octets/],
    ['a cut end', Buffer.concat([database, trailer]).subarray(0, 4000), /ends after 4000 octets/],
    ['nothing', Buffer.alloc(0), /ends after 0 octets/],
  ])('acceptance 15: refuses one with %s, and leaves nothing of it', async (_name, bytes, message) => {
    await expect(saveSnapshot({ host: 'etcd-1', pieces: pieces(bytes) }, folder, 'a.db')).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing of one that breaks off, nor of an earlier one', async () => {
    async function* broken() {
      yield { bytes: database, remainingBytes: 32 };
      throw new Error('the connection was lost');
    }
    for (let round = 0; round < 2; round += 1) {
      await expect(saveSnapshot({ host: 'etcd-1', pieces: broken() }, folder, 'a.db')).rejects.toThrow(/was lost/);
    }
    expect(await readdir(folder)).toEqual([]);
  });
});
