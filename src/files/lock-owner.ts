/** Who holds a lock, as a file name, and whether that process still runs. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isSystemError } from '../domain/system-error.ts';

/** `machine.boot.pid.start.nonce` of a process of this machine: enough to tell whether that very process still runs, where it can be told at all. */
export function ownerName(pid: number): string {
  return [machineId(), bootId(), pid, startTime(pid), randomBytes(4).toString('hex')].join('.');
}

/** Whether an owner's process is gone; false also where that cannot be known: on another machine or in another container. */
export function isDead(owner: string): boolean {
  if (isElsewhere(owner)) return false;
  const [, boot, pid = '', start] = owner.split('.');
  return boot !== bootId() || !processRuns(Number(pid)) || startTime(Number(pid)) !== start;
}

/** Whether an owner is out of sight: on another machine, or in another container of this one. */
export function isElsewhere(owner: string): boolean {
  return owner.split('.')[0] !== machineId();
}

/** The process number in an owner's name, for people. */
export function processOf(owner: string): string {
  return owner.split('.')[2] ?? 'unknown';
}

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isSystemError(error, 'ESRCH');
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
