/** The lock under which files of the operator's cache, and the lock file of releases, are made. */
import { lockBeside, withFileLock } from '../files/lock.ts';

/** Longer than a release takes over a slow line. */
const WAIT_MS = 30 * 60_000;
/** Caches are shared between containers, which often end without a word. */
const ABANDONED_MS = 15_000;

/**
 * Runs `action` while this process alone makes `path` (its folder must exist). `scratch` is a file name beside it that others clear away should this
 * process die. Throws `locked` after half an hour.
 */
export function whileMaking<T>(path: string, signal: AbortSignal, action: (scratch: string) => Promise<T>): Promise<T> {
  return withFileLock(lockBeside(path), { timeoutMs: WAIT_MS, abandonedMs: ABANDONED_MS, signal }, action);
}
