/**
 * A lock between processes, made of a directory that holds one file named after its owner. Taking it renames a prepared directory over the lock, which
 * succeeds only where that is absent or empty (rename(2)). An owner's death frees it: others remove the file of that very owner, so nobody can remove a
 * lock that was taken since.
 */
import { mkdir, readdir, rename, rm, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import { isDead, isElsewhere, ownerName, processOf } from './lock-owner.ts';

/** How a lock is waited for, and when an owner that cannot be asked counts as dead. */
export interface LockOptions {
  /** How long to wait for another process; milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * An owner on another machine or in another container that has not touched its file for so long is dead; milliseconds. Without it such an owner is
   * never taken for dead. All who use the lock must give the same.
   */
  readonly abandonedMs?: number | undefined;
}

/** Owners touch their file so many times before they would count as dead. */
const BEATS = 8;

const takingSuffix = '.taking';

/** Where the lock of a file lies: beside it, hidden. */
export function lockBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.lock`);
}

/**
 * Runs `action` while this process alone holds the lock directory `path` (its parent must exist). `scratch` is a file name on the same file system that
 * others clear away should this process die. Throws `locked` where another owner keeps it past the timeout.
 */
export async function withFileLock<T>(
  path: string,
  options: LockOptions,
  action: (scratch: string) => Promise<T>,
): Promise<T> {
  const owner = ownerName(process.pid);
  await takeLock(path, owner, options);
  const beat = keepTouching(join(path, owner), options);
  try {
    return await action(join(path, `${owner}.new`));
  } finally {
    clearInterval(beat);
    await ignore(['ENOENT'], () => unlink(join(path, `${owner}.new`)));
    await ignore(['ENOENT'], () => unlink(join(path, owner)));
    await ignore(['ENOTEMPTY', 'EEXIST', 'ENOENT'], () => rmdir(path));
  }
}

function keepTouching(file: string, { abandonedMs }: LockOptions): NodeJS.Timeout | undefined {
  if (abandonedMs === undefined) return undefined;
  return setInterval(() => {
    touch(file).catch(() => undefined);
  }, abandonedMs / BEATS);
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

async function takeLock(path: string, owner: string, options: LockOptions): Promise<void> {
  const prepared = join(dirname(path), `.${owner}${takingSuffix}`);
  await clearDeadTakers(dirname(path));
  await mkdir(prepared, { mode: 0o700 });
  await writeFile(join(prepared, owner), '', { mode: 0o600 });
  const began = performance.now();
  try {
    while (!(await renameOver(prepared, path))) {
      await freeDead(path, options);
      const waitedMs = performance.now() - began;
      if (waitedMs > options.timeoutMs) throw await stillHeld(path);
      await sleep((waitedMs < 1000 ? 5 : 50) * (0.5 + Math.random()), undefined, { signal: options.signal });
      await touch(join(prepared, owner));
    }
  } finally {
    await rm(prepared, { recursive: true, force: true });
  }
}

async function clearDeadTakers(directory: string): Promise<void> {
  for (const name of await entriesOf(directory)) {
    const dead = name.endsWith(takingSuffix) && isDead(name.slice(1));
    if (dead) await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function renameOver(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

async function freeDead(path: string, { abandonedMs }: LockOptions): Promise<void> {
  for (const owner of await entriesOf(path)) {
    const file = join(path, owner);
    const abandoned = abandonedMs !== undefined && isElsewhere(owner) && (await isUntouched(file, abandonedMs));
    if (abandoned || isDead(owner)) await ignore(['ENOENT'], () => unlink(file));
  }
}

async function isUntouched(file: string, forMs: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > forMs;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

async function entriesOf(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

async function stillHeld(path: string): Promise<QuorateError> {
  const [owner] = await entriesOf(path);
  const holder = owner === undefined ? 'others in turn' : `process ${processOf(owner)} (${owner})`;
  return new QuorateError('locked', `${path}: held by ${holder}`, {
    hint: `wait for it; if it ran on another machine and is gone, remove the directory ${path}`,
  });
}

async function ignore(codes: readonly string[], action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isSystemError(error, ...codes)) throw error;
  }
}
