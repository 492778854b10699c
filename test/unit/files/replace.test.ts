import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDirectory, putInPlace, replaceFile, writeNewFile } from '../../../src/files/replace.ts';

let folder = '';
const path = (name: string): string => join(folder, name);
const modeOf = (name: string): number => statSync(path(name)).mode & 0o777;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-replace-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('replacing a file', () => {
  it('gives the new content and mode, and leaves nothing else', async () => {
    writeFileSync(path('a'), 'old', { mode: 0o644 });
    await replaceFile(path('a'), 'new', { mode: 0o600 });
    expect(readFileSync(path('a'), 'utf8')).toBe('new');
    expect(modeOf('a')).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('leaves what was there, and nothing else, where it fails', async () => {
    mkdirSync(path('a/inner'), { recursive: true });
    await expect(replaceFile(path('a'), 'new', { mode: 0o600 })).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('never writes through a scratch file that is there already', async () => {
    writeFileSync(path('scratch'), 'mine');
    await expect(replaceFile(path('a'), 'new', { mode: 0o600, scratch: path('scratch') })).rejects.toThrow('EEXIST');
    expect(readFileSync(path('scratch'), 'utf8')).toBe('mine');
  });

  it('puts a finished part in its place', async () => {
    writeFileSync(path('part'), 'whole');
    writeFileSync(path('a'), 'old');
    await putInPlace(path('part'), path('a'));
    expect(readFileSync(path('a'), 'utf8')).toBe('whole');
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('a new file', () => {
  it('is written where there is none', async () => {
    await writeNewFile(path('a'), 'text', 0o600);
    expect(readFileSync(path('a'), 'utf8')).toBe('text');
    expect(modeOf('a')).toBe(0o600);
  });

  it('never overwrites', async () => {
    writeFileSync(path('a'), 'mine');
    await expect(writeNewFile(path('a'), 'text', 0o600)).rejects.toThrow('EEXIST');
    expect(readFileSync(path('a'), 'utf8')).toBe('mine');
  });
});

describe('a directory', () => {
  it('is made with those above it, for its owner alone', async () => {
    await makeDirectory(path('a/b'));
    expect([modeOf('a'), modeOf('a/b')]).toEqual([0o700, 0o700]);
    await makeDirectory(path('a/b'));
  });
});
