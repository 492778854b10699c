import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readInventoryText } from '../../../src/inventory/read.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorate-inventory-'));
});

async function written(bytes: Uint8Array | string): Promise<string> {
  const file = join(folder, 'x.yml');
  await writeFile(file, bytes);
  return file;
}

describe('readInventoryText', () => {
  it('reads UTF-8', async () => {
    expect(await readInventoryText(await written('a: ä\n'))).toBe('a: ä\n');
  });

  it('names the line that is not UTF-8', async () => {
    const file = await written(Buffer.from([0x61, 0x0a, 0xc3, 0xa4, 0x0a, 0xe4, 0x0a]));
    await expect(readInventoryText(file)).rejects.toThrow(`${file}:3:1: is not UTF-8 (save the file as UTF-8)`);
  });

  it('knows UTF-16', async () => {
    const file = await written(Buffer.from('\ufeffa: ä\n', 'utf16le'));
    await expect(readInventoryText(file)).rejects.toThrow(`${file}: is UTF-16 (save it as UTF-8)`);
  });

  it('refuses what can be no inventory by its size', async () => {
    const file = await written(Buffer.alloc(4 * 1024 * 1024 + 1, 0x23));
    await expect(readInventoryText(file)).rejects.toThrow('has 4194305 bytes (an inventory has at most 4194304)');
  });

  it('tells what is wrong with the file', async () => {
    await expect(readInventoryText(join(folder, 'none.yml'))).rejects.toMatchObject({
      code: 'inventory',
      message: `${folder}/none.yml: no such file`,
      hint: 'quorate init user@host… writes one; -i FILE names another',
    });
    await expect(readInventoryText(folder)).rejects.toThrow(`${folder}: is a folder, not a file`);
  });
});
