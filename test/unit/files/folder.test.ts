/** Folders that others have filled. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../../src/files/folder.ts';

describe('a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is read by name, links to files as files, and what is no file is passed over', async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'c.pem'), 'three');
    writeFileSync(join(folder, 'b.pem'), 'two');
    symlinkSync(join(folder, 'sub', 'c.pem'), join(folder, 'a.pem'));
    symlinkSync('nowhere', join(folder, 'dangling.pem'));
    symlinkSync(folder, join(folder, 'loop'));
    symlinkSync('/dev/zero', join(folder, 'endless.pem'));
    execFileSync('mkfifo', [join(folder, 'pipe.pem')]);
    expect(await readFolder(folder)).toEqual([
      { name: 'a.pem', text: 'three' },
      { name: 'b.pem', text: 'two' },
    ]);
  });

  it('is refused where a file, or all of them, are larger than certificates are', async () => {
    writeFileSync(join(folder, 'disk.img'), '');
    truncateSync(join(folder, 'disk.img'), 2 ** 34);
    await expect(readFolder(folder)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('disk.img: 17179869184 bytes (limit 16 MiB)'),
    });
    truncateSync(join(folder, 'disk.img'), 15 << 20);
    for (const name of 'abcd') symlinkSync('disk.img', join(folder, name));
    await expect(readFolder(folder)).rejects.toThrow('more than 64 MiB in all');
  });

  it('that is none is told', async () => {
    writeFileSync(join(folder, 'file'), '');
    for (const name of ['file', 'none']) {
      await expect(readFolder(join(folder, name))).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('cannot be read as a folder'),
        hint: expect.stringContaining('--from DIR'),
      });
    }
  });
});
