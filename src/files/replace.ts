/** Writing files whole or not at all, so that a crash leaves the old one or the new one. */
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { explained } from '../domain/system-error.ts';

/** How a file is put in another's place. */
export interface Replacement {
  /** Of the new file, less the umask. */
  readonly mode: number;
  /** An absent file in the same file system to write first; by default a hidden one beside it. */
  readonly scratch?: string | undefined;
}

/** Puts `content` in the place of whatever is at `path`; its folder must exist. On disk, with its name, once this returns. */
export async function replaceFile(path: string, content: string | Uint8Array, wish: Replacement): Promise<void> {
  const scratch = wish.scratch ?? join(dirname(path), await scratchName(basename(path)));
  await writeNewFile(scratch, content, wish.mode);
  try {
    await rename(scratch, path);
  } catch (error) {
    await unlink(scratch).catch(() => undefined);
    throw error;
  }
  await syncToDisk(dirname(path));
}

/** Verbs that write nothing do not pay for node:crypto (5 ms). */
async function scratchName(name: string): Promise<string> {
  const { randomBytes } = await import('node:crypto');
  return `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.new`;
}

/**
 * Writes a file that must not exist yet (EEXIST), and takes it away again where that fails. On disk once this returns; its name not yet.
 * @throws QuorateError step-failed where the disk is full, or fails
 */
export async function writeNewFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw explained(error, path);
  } finally {
    await file.close();
  }
}

/** Gives a file that was written in steps its final name. On disk, with its name, once this returns. */
export async function putInPlace(part: string, path: string): Promise<void> {
  await syncToDisk(part);
  await rename(part, path);
  await syncToDisk(dirname(path));
}

/** Makes a directory (0700) and those above it. A file in it does not vanish with its folder once this returns. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncToDisk(dirname(made));
}

/** Waits until a file's content, or a directory's names, are on disk (fsync(2)). */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
