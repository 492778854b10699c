/** The PKI store as files in the operator's state directory: one file an object, nothing readable by others, each change durable before it is told. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isSystemError } from '../domain/system-error.ts';
import { type LockOptions, lockBeside, withFileLock } from '../files/lock.ts';
import { makeDirectory, replaceFile } from '../files/replace.ts';
import { type PkiStore, StoreConflict, type StoredObject } from './store.ts';

/**
 * A store in `directory` (absolute; made with the first object). Files are 0600, directories 0700; a version is the sha256 of the content, so an edit by
 * hand is a change like any other.
 */
export function openFileStore(directory: string, lock: LockOptions = { timeoutMs: 10_000 }): PkiStore {
  return {
    location: directory,
    read: (key) => readObject(pathOf(directory, key)),
    swap: (key, expected, bytes) =>
      swapFile(pathOf(directory, key), { key, expected, bytes: Buffer.from(bytes) }, lock),
    list: (prefix) => listKeys(directory, prefix),
  };
}

interface Swap {
  readonly key: string;
  readonly expected: string | null;
  readonly bytes: Buffer;
}

function pathOf(directory: string, key: string): string {
  if (!/^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/.test(key)) throw new Error(`not a store key: ${key}`);
  return join(directory, key);
}

async function readObject(path: string): Promise<StoredObject | undefined> {
  try {
    const bytes = await readFile(path);
    return { bytes, version: versionOf(bytes) };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function swapFile(path: string, swap: Swap, lock: LockOptions): Promise<string> {
  await makeDirectory(dirname(path));
  return withFileLock(lockBeside(path), lock, async (scratch) => {
    const current = await readObject(path);
    if ((current?.version ?? null) !== swap.expected) throw new StoreConflict(swap.key);
    await replaceFile(path, swap.bytes, { mode: 0o600, scratch });
    return versionOf(swap.bytes);
  });
}

async function listKeys(directory: string, prefix: string): Promise<readonly string[]> {
  const paths = await filesBelow(directory);
  return paths
    .map((path) => relative(directory, path).replaceAll('\\', '/'))
    .filter((key) => key.startsWith(prefix))
    .sort();
}

/** Folders of locks come and go while others write: none of them is looked into, and one that is gone has nothing in it. */
async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await entriesOf(directory);
  const found = entries
    .filter(({ name }) => !name.startsWith('.'))
    .map(async (entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    });
  return (await Promise.all(found)).flat();
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

function versionOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
