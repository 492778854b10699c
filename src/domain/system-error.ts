/** Telling one failed system call from another, and telling people of it. */
import { QuorateError } from './errors.ts';

/** The `code` of a system error (`ENOENT`, `ECONNREFUSED`, …), if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether an error is a failed system call with one of these codes. */
export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  const code = systemCode(error);
  return code !== undefined && codes.includes(code);
}

const room = 'make room there, then run the same command again';
const rights = 'see to it that you may write there, then run the same command again';

/** What the operator's own machine may refuse, and what helps. */
const refusals: Readonly<Record<string, readonly [words: string, hint: string]>> = {
  ENOSPC: ['no space left on the device', room],
  EDQUOT: ['the disk quota is used up', room],
  EROFS: ['the file system is read-only', rights],
  EACCES: ['permission denied', rights],
  EPERM: ['operation not permitted', rights],
  ENOTDIR: ['a part of this path is no folder', rights],
  ELOOP: ['too many symbolic links', rights],
  EIO: ['input/output error', 'look at the disk of this machine (dmesg), then run the same command again'],
};

/** An error of this machine's file system as what it is, and no bug, told of `path` where it tells of none; any other error as it came. */
export function explained(error: unknown, path = 'this machine'): unknown {
  const [words, hint] = refusals[systemCode(error) ?? ''] ?? [];
  if (words === undefined || !(error instanceof Error)) return error;
  const told = 'path' in error && typeof error.path === 'string' ? error.path : path;
  return new QuorateError('step-failed', `${told}: ${words}`, { cause: error, hint });
}
