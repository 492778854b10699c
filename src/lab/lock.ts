/** One process at a time on a lab's folder, a cache or this machine's network. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lockBeside, withFileLock } from '../files/lock.ts';

/** Caches are shared between containers, which often end without a word. */
const ABANDONED_MS = 15_000;

/**
 * Runs `work` while this process alone holds the lock of `folder`, which lies beside it; its parent is made when it is missing.
 * Throws `locked` when another process holds it for longer than `waitMs`.
 */
export async function withFolderLock<T>(folder: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(folder), { recursive: true });
  return withFileLock(lockBeside(folder), { timeoutMs: waitMs, abandonedMs: ABANDONED_MS }, work);
}
