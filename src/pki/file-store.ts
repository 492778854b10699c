/** The PKI store as files in the operator's state directory: one file an object, nothing readable by others, each change durable before it is told. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isFileError } from './file-error.ts';
import { type LockOptions, withFileLock } from './file-lock.ts';
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
    if (isFileError(error, ['ENOENT', 'ENOTDIR'])) return undefined;
    throw error;
  }
}

async function swapFile(path: string, swap: Swap, lock: LockOptions): Promise<string> {
  await makeDirectory(dirname(path));
  return withFileLock(join(dirname(path), `.${basename(path)}.lock`), lock, async (scratch) => {
    const current = await readObject(path);
    if ((current?.version ?? null) !== swap.expected) throw new StoreConflict(swap.key);
    await writeDurably(scratch, swap.bytes);
    await rename(scratch, path);
    await syncDirectory(dirname(path));
    return versionOf(swap.bytes);
  });
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a directory and syncs the one above each that was made: a key must not vanish with its folder. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listKeys(directory: string, prefix: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
    return keys.filter((key) => key.startsWith(prefix) && !/(?:^|\/)\./.test(key)).sort();
  } catch (error) {
    if (isFileError(error, ['ENOENT'])) return [];
    throw error;
  }
}

function versionOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
