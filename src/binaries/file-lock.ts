/** Mutual exclusion of processes on the operator's machine, by a file that exists. */
import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 2_000;
/** A holder that has not touched its file for this long is dead. */
const STALE_MS = 15_000;

/** Runs `action` while `path` exists and is ours; waits for whoever holds it, and takes over from the dead. */
export async function withFileLock<T>(path: string, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  while (!(await acquire(path))) {
    signal.throwIfAborted();
    await removeStale(path);
    await sleep(50, undefined, { signal });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function removeStale(path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > STALE_MS) await rm(path, { force: true });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** Whether an error of node:fs has this code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
