/**
 * A lock between processes, made of a directory that holds one file named after its owner. Taking it renames a prepared directory over the lock, which
 * succeeds only where that is absent or empty (rename(2)). An owner's death frees it: others remove the file of that very owner, so nobody can remove a
 * lock that was taken since.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { isFileError } from './file-error.ts';

export interface LockOptions {
  /** How long to wait for another process; milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const takingSuffix = '.taking';

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
  try {
    return await action(join(path, `${owner}.new`));
  } finally {
    await ignore(['ENOENT'], () => unlink(join(path, `${owner}.new`)));
    await unlink(join(path, owner));
    await ignore(['ENOTEMPTY', 'EEXIST', 'ENOENT'], () => rmdir(path));
  }
}

async function takeLock(path: string, owner: string, { timeoutMs, signal }: LockOptions): Promise<void> {
  const prepared = join(dirname(path), `.${owner}${takingSuffix}`);
  await clearDeadTakers(dirname(path));
  await mkdir(prepared, { mode: 0o700 });
  await writeFile(join(prepared, owner), '', { mode: 0o600 });
  const deadline = performance.now() + timeoutMs;
  try {
    while (!(await renameOver(prepared, path))) {
      await freeDead(path);
      if (performance.now() > deadline) throw await stillHeld(path);
      await sleep(2 + Math.random() * 8, undefined, { signal });
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
    if (isFileError(error, ['ENOTEMPTY', 'EEXIST'])) return false;
    throw error;
  }
}

async function freeDead(path: string): Promise<void> {
  for (const owner of await entriesOf(path)) {
    if (isDead(owner)) await ignore(['ENOENT'], () => unlink(join(path, owner)));
  }
}

async function entriesOf(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isFileError(error, ['ENOENT'])) return [];
    throw error;
  }
}

async function stillHeld(path: string): Promise<QuorateError> {
  const [owner = 'nobody'] = await entriesOf(path);
  const pid = owner.split('.')[2];
  return new QuorateError('locked', `${path}: held by process ${pid} (${owner})`, {
    hint: `wait for it; if it ran on another machine and is gone, remove the directory ${path}`,
  });
}

/** `machine.boot.pid.start.nonce`: enough to tell whether that very process still runs, where it can be told at all. */
function ownerName(pid: number): string {
  return [machineId(), bootId(), pid, startTime(pid), randomBytes(4).toString('hex')].join('.');
}

/** False also where it can't be known: another machine or another container. */
function isDead(owner: string): boolean {
  const [machine, boot, pid = '', start] = owner.split('.');
  if (machine !== machineId()) return false;
  return boot !== bootId() || !processRuns(Number(pid)) || startTime(Number(pid)) !== start;
}

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isFileError(error, ['ESRCH']);
  }
}

/** Clock ticks since boot (proc(5), stat, field 22); '0' where the system has no /proc. */
function startTime(pid: number): string {
  const stat = readOr('', () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

/** Host and pid namespace: process numbers mean something only within both. */
function machineId(): string {
  const namespace = readOr('', () => readlinkSync('/proc/self/ns/pid'));
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 12);
}

function bootId(): string {
  return readOr('0', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8));
}

function readOr(fallback: string, read: () => string): string {
  try {
    return read();
  } catch {
    return fallback;
  }
}

async function ignore(codes: readonly string[], action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isFileError(error, codes)) throw error;
  }
}
