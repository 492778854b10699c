/** The debug log: a file of JSON lines for each run that did something, for the day on which it failed. */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** How many logs are kept. */
const KEEP = 20;

const LOG_NAME = /^\d{8}T\d{6}\.\d{3}Z-\d+-[a-z-]+\.ndjson$/;

export interface DebugLog {
  /** Appends a line `{"at": …, …fields}`; a disk that refuses is ignored. The file is made by the first line. */
  write(fields: Readonly<Record<string, unknown>>): void;
  /** Absolute path of the file; undefined while there is none. */
  path(): string | undefined;
  close(): void;
}

export interface DebugLogOptions {
  /** Absolute; see {@link logDirectory}. */
  readonly directory: string;
  /** Part of the file's name. */
  readonly verb: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly redactValue: (value: unknown) => unknown;
}

/** `$XDG_STATE_HOME/quorate/logs`, by default below `~/.local/state`; a relative XDG_STATE_HOME is ignored (XDG base directory 0.8). */
export function logDirectory(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const state = env['XDG_STATE_HOME'];
  const base = state !== undefined && isAbsolute(state) ? state : join(home, '.local', 'state');
  return join(base, 'quorate', 'logs');
}

/** A log that keeps its file 0600 in a directory 0700 and removes all but the newest 20. Never throws: a run does not fail for its log. */
export function createDebugLog(options: DebugLogOptions): DebugLog {
  let file: { readonly path: string; readonly descriptor: number } | undefined;
  let refused = false;
  return {
    write: (fields) => {
      if (refused) return;
      try {
        file ??= open(options);
        const at = new Date(options.now()).toISOString();
        writeSync(file.descriptor, `${JSON.stringify(options.redactValue({ at, ...fields }))}\n`);
      } catch {
        refused = true;
      }
    },
    path: () => file?.path,
    close: () => {
      refused = true;
      if (file !== undefined) closeQuietly(file.descriptor);
    },
  };
}

function open({ directory, verb, pid, now }: DebugLogOptions): { path: string; descriptor: number } {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const stamp = new Date(now()).toISOString().replaceAll(/[:-]/g, '');
  const path = join(directory, `${stamp}-${pid}-${verb.replaceAll(/[^a-z]+/g, '-')}.ndjson`);
  const descriptor = openSync(path, 'ax', 0o600);
  rotate(directory);
  return { path, descriptor };
}

/** Names sort by time. */
function rotate(directory: string): void {
  const logs = readdirSync(directory).filter((name) => LOG_NAME.test(name));
  for (const name of logs.toSorted().slice(0, -KEEP)) rmSync(join(directory, name), { force: true });
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // closed twice
  }
}
