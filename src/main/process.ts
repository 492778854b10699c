/** The process that quorate runs in, as a value: everything that main reads of its surroundings. */
import { homedir, hostname, userInfo } from 'node:os';

export interface Process {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly home: string;
  readonly pid: number;
  readonly uid: number;
  /** `user@host` */
  readonly who: string;
  now(): number;
}

export function thisProcess(): Process {
  return {
    env: process.env,
    directory: process.cwd(),
    home: homedir(),
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    who: `${userName()}@${hostname()}`,
    now: Date.now,
  };
}

/** A user without an entry in the account database has a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
