import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOCK_HELD, LOCK_TAKEN, LOCK_TAKEN_OVER, lockScript, RELEASE, TAKE } from '../../../src/apply/lock-script.ts';
import { stageScript } from '../../../src/apply/prelude.ts';
import { stageTar } from '../../../src/apply/stage-tar.ts';
import { inFolder, linesOf, shells, start, temporaryFolder } from './shell.ts';

/** Asks for the lock; the answer, and how to give it back. */
async function ask(shell: string, folder: string, token: string) {
  const script = lockScript({ token, owner: 'ada@laptop', command: 'bootstrap', since: '2026-01-01T00:00:00Z' });
  const child = start(shell, inFolder(script, folder));
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  child.stdin.write(TAKE);
  const answer = await linesOf(child.stdout)();
  const release = async (): Promise<void> => {
    child.stdin.end(RELEASE);
    await gone;
  };
  return { answer, release };
}

/** A stage's script that is in the middle of its work, as a channel that was given up leaves it. */
async function working(shell: string, folder: string, token: string) {
  const tar = await stageTar([]);
  const step = { script: 'echo working; read -r word', files: [] };
  const script = stageScript([step], { token, tarBytes: tar.length, probe: ':' });
  const child = start(shell, inFolder(script, folder));
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  child.stdin.write(tar);
  const next = linesOf(child.stdout);
  while ((await next()) !== 'working');
  const end = async (): Promise<void> => {
    child.stdin.end('on\n');
    await gone;
  };
  return { end };
}

describe.each(shells)('a lock that is given back in %s', (shell) => {
  it('stays while a script of its run goes on, and is free once that has ended', async () => {
    const folder = temporaryFolder();
    const first = await ask(shell, folder, 'first');
    expect(first.answer).toBe(LOCK_TAKEN);
    const script = await working(shell, folder, 'first');
    await first.release();
    expect((await ask(shell, folder, 'second')).answer).toBe(LOCK_HELD);
    expect(readFileSync(join(folder, 'lock', 'token'), 'utf8')).toBe('first\n');
    await script.end();
    expect((await ask(shell, folder, 'third')).answer).toBe(LOCK_TAKEN_OVER);
  });

  it('is gone at once where no script of its run goes on', async () => {
    const folder = temporaryFolder();
    const only = await ask(shell, folder, 'only');
    await only.release();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });
});
