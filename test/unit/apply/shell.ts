/** Runs the scripts that hosts would get, in a folder of this machine instead of /var/lib/quorate. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { QUORATE_DIR } from '../../../src/domain/layout.ts';

/** Shells that hosts have as /bin/sh, as far as this machine has them. */
export const shells = ['dash', 'bash'].filter((name) => spawnSync(name, ['-c', ':']).status === 0);

/** Whether files can be given to other accounts here. */
export const isRoot = process.getuid?.() === 0;

/** Gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-shell-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The script with the folder in place of quorate's own, and waits that are short. */
export function inFolder(script: string, folder: string): string {
  return script.replaceAll(QUORATE_DIR, folder).replaceAll('sleep 0.2', 'sleep 0.01');
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script to its end. */
export async function run(
  shell: string,
  script: string,
  options: { readonly input?: Readable; readonly env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = start(shell, script, options.env);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  child.stdin.on('error', () => undefined);
  if (options.input === undefined) child.stdin.end();
  else options.input.pipe(child.stdin);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, stdout, stderr };
}

/** A script that runs; killed when the test ends. */
export function start(shell: string, script: string, env?: Record<string, string>): ChildProcessWithoutNullStreams {
  // bash reads .bashrc where stdin is a socket, as Node's pipes are.
  const words = shell.endsWith('bash') ? ['--norc', '-c', script] : ['-c', script];
  const child = spawn(shell, words, { stdio: 'pipe', ...(env === undefined ? {} : { env }) });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** The lines of a stream, one by one; '' after the last. */
export function linesOf(stream: Readable): () => Promise<string> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async () => {
    const line = await lines.next();
    return line.done === true ? '' : line.value;
  };
}

/** Mode, owner and group as `stat` says them: `640 root:daemon`. */
export function modeOf(path: string): string {
  return execFileSync('stat', ['-c', '%a %U:%G', path], { encoding: 'utf8' }).trim();
}

/** A PATH with these programs alone. */
export function pathWith(folder: string, programs: readonly string[]): string {
  for (const program of programs) {
    const found = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map((each) => join(each, program)).find(existsSync);
    if (found !== undefined) execFileSync('ln', ['-sf', found, join(folder, program)]);
  }
  return folder;
}
