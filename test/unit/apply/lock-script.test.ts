import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  BEAT,
  LOCK_HELD,
  LOCK_LOOKED,
  LOCK_TAKEN,
  LOCK_TAKEN_OVER,
  lockScript,
  RELEASE,
  TAKE,
  unlockScript,
} from '../../../src/apply/lock-script.ts';
import { inFolder, linesOf, run, shells, start, temporaryFolder } from './shell.ts';

const owner = { owner: "o'hara@laptop $(id)", command: 'bootstrap', since: '2026-01-01T00:00:00Z' };

function lock(folder: string, token: string): string {
  return inFolder(lockScript({ ...owner, token }), folder);
}

/** Takes the lock and keeps it until `release` or `die`. */
async function hold(shell: string, folder: string, token: string) {
  const child = start(shell, lock(folder, token));
  child.stdin.write(TAKE);
  const next = linesOf(child.stdout);
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return {
    answer: await next(),
    pid: child.pid,
    release: async (): Promise<string> => {
      child.stdin.end(RELEASE);
      await gone;
      return next();
    },
    loseConnection: async () => {
      child.stdin.end();
      await gone;
    },
    die: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function tokenIn(folder: string): string {
  return readFileSync(join(folder, 'lock', 'token'), 'utf8').trim();
}

/** A process that lives until the test ends, noted in the lock as a script of its run. */
function noteScript(folder: string): { readonly pid: number; end(): Promise<void> } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  onTestFinished(end);
  const pid = child.pid ?? 0;
  writeFileSync(join(folder, 'lock', `run.${pid}`), `${starttimeOf(pid)}\n`);
  return { pid, end };
}

function starttimeOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

describe.each(shells)('the lock of a host in %s', (shell) => {
  it('is taken, says who, when and what, and is gone when it is given back', async () => {
    const folder = temporaryFolder();
    const holder = await hold(shell, folder, 'one');
    expect(holder.answer).toBe(LOCK_TAKEN);
    const files = ['token', 'owner', 'command', 'since'].map((name) =>
      readFileSync(join(folder, 'lock', name), 'utf8'),
    );
    expect(files).toEqual(['one\n', `${owner.owner}\n`, 'bootstrap\n', '2026-01-01T00:00:00Z\n']);
    expect(readFileSync(join(folder, 'lock', 'holder'), 'utf8')).toBe(
      `${holder.pid} ${starttimeOf(holder.pid ?? 0)}\n`,
    );
    expect(await holder.release()).toBe('released');
    expect(readdirSync(folder)).toEqual(['lock.mutex']);
  });

  it('is refused while it is held, with who holds it, and stays', async () => {
    const folder = temporaryFolder();
    const holder = await hold(shell, folder, 'one');
    const { status, stdout } = await run(shell, lock(folder, 'two'), { input: Readable.from([TAKE]) });
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([LOCK_HELD, 'one', owner.owner, owner.command, owner.since, 'yes', '', '']);
    expect(tokenIn(folder)).toBe('one');
    expect(readdirSync(folder).sort()).toEqual(['lock', 'lock.mutex']);
    expect(await holder.release()).toBe('released');
    expect((await hold(shell, folder, 'two')).answer).toBe(LOCK_TAKEN);
  });

  it('is left behind by a connection that is lost, and taken over', async () => {
    const folder = temporaryFolder();
    await (await hold(shell, folder, 'one')).loseConnection();
    expect(tokenIn(folder)).toBe('one');
    const next = await hold(shell, folder, 'two');
    expect(next.answer).toBe(LOCK_TAKEN_OVER);
    expect(tokenIn(folder)).toBe('two');
  });

  it('is taken over after its holder was killed', async () => {
    const folder = temporaryFolder();
    await (await hold(shell, folder, 'one')).die();
    expect((await hold(shell, folder, 'two')).answer).toBe(LOCK_TAKEN_OVER);
    expect(readdirSync(folder).sort()).toEqual(['lock', 'lock.mutex']);
  });

  it('is not taken for alive because another process has the holder’s number now', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'lock'));
    writeFileSync(join(folder, 'lock', 'holder'), `${process.pid} 12345\n`);
    expect((await hold(shell, folder, 'two')).answer).toBe(LOCK_TAKEN_OVER);
  });

  it('is not taken for alive after the host was booted anew, whoever has the numbers of its processes now', async () => {
    const folder = temporaryFolder();
    const holder = await hold(shell, folder, 'one');
    noteScript(folder);
    writeFileSync(join(folder, 'lock', 'boot'), 'another-boot\n');
    expect(tokenIn(folder)).toBe('one');
    expect((await hold(shell, folder, 'two')).answer).toBe(LOCK_TAKEN_OVER);
    await holder.die();
  });

  it('ends by itself once its run is silent for too long, and can be taken over then', async () => {
    const folder = temporaryFolder();
    const patience = { intervalS: 0.2, beatsMissed: 5 };
    const silent = start(shell, inFolder(lockScript({ ...owner, token: 'one' }, { patience }), folder));
    const gone = new Promise<NodeJS.Signals | null>((resolve) => silent.on('exit', (_code, signal) => resolve(signal)));
    silent.stdin.write(TAKE);
    expect(await linesOf(silent.stdout)()).toBe(LOCK_TAKEN);
    expect(await gone).toBe('SIGTERM');
    expect((await hold(shell, folder, 'two')).answer).toBe(LOCK_TAKEN_OVER);
  });

  it.each([
    { what: 'looks once it is held', look: 'cat "$1"; echo seen; cat', said: ['one', 'seen'] },
    { what: 'stays held where looking fails', look: 'set -eu; cat "$1"; exit 3', said: ['one'] },
  ])('$what, and is given back as ever', async ({ look, said }) => {
    const folder = temporaryFolder();
    const token = join(folder, 'lock', 'token');
    const script = lockScript({ ...owner, token: 'one' }, { look: `set -- '${token}'\n${look}` });
    const holder = start(shell, inFolder(script, folder));
    holder.stdin.write(TAKE);
    const next = linesOf(holder.stdout);
    expect(await next()).toBe(LOCK_TAKEN);
    for (const line of [...said, LOCK_LOOKED]) expect(await next()).toBe(line);
    expect(tokenIn(folder)).toBe('one');
    holder.stdin.end(RELEASE);
    expect(await next()).toBe('released');
  });

  it('stays while its run tells that it lives', async () => {
    const folder = temporaryFolder();
    const patience = { intervalS: 0.4, beatsMissed: 5 };
    const living = start(shell, inFolder(lockScript({ ...owner, token: 'one' }, { patience }), folder));
    living.stdin.write(TAKE);
    const next = linesOf(living.stdout);
    expect(await next()).toBe(LOCK_TAKEN);
    const beats = setInterval(() => living.stdin.write(BEAT), 300);
    await sleep(4_000);
    expect(living.exitCode ?? living.signalCode).toBeNull();
    clearInterval(beats);
    living.stdin.end(RELEASE);
    expect(await next()).toBe('released');
  });

  it('tells each of eight who ask at once who holds it', async () => {
    const folder = temporaryFolder();
    const holder = await hold(shell, folder, 'one');
    const asking = Array.from({ length: 8 }, () => run(shell, lock(folder, 'two'), { input: Readable.from([TAKE]) }));
    for (const { stdout } of await Promise.all(asking)) {
      expect(stdout.split('\n').slice(0, 3)).toEqual([LOCK_HELD, 'one', owner.owner]);
    }
    expect(await holder.release()).toBe('released');
  });

  it('is kept by a script of its run that is alive, and taken over when that has ended', async () => {
    const folder = temporaryFolder();
    const holder = await hold(shell, folder, 'one');
    const script = noteScript(folder);
    await holder.die();
    const { stdout } = await run(shell, lock(folder, 'two'), { input: Readable.from([TAKE]) });
    expect(stdout.split('\n').slice(0, 2)).toEqual([LOCK_HELD, 'one']);
    expect(stdout.split('\n').slice(5, 7)).toEqual(['no', `${script.pid} `]);
    await script.end();
    expect((await hold(shell, folder, 'two')).answer).toBe(LOCK_TAKEN_OVER);
  });

  it('is kept by a script that begins in the very moment in which the lock is taken away', async () => {
    const folder = temporaryFolder();
    await (await hold(shell, folder, 'one')).die();
    const script = spawn('sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => {
      script.kill('SIGKILL');
    });
    const shim = `#!/bin/sh
[ -e ${folder}/begun ] || { touch ${folder}/begun; echo ${starttimeOf(script.pid ?? 0)} > ${folder}/lock/run.${script.pid}; }
exec /bin/mv "$@"
`;
    const bin = temporaryFolder();
    writeFileSync(join(bin, 'mv'), shim);
    chmodSync(join(bin, 'mv'), 0o755);
    const { stdout } = await run(shell, lock(folder, 'two'), {
      input: Readable.from([TAKE]),
      env: { PATH: `${bin}:/usr/bin:/bin` },
    });
    expect(stdout.split('\n').slice(0, 2)).toEqual([LOCK_HELD, 'one']);
    expect(existsSync(join(folder, 'begun'))).toBe(true);
    expect(tokenIn(folder)).toBe('one');
    const unlocked = await run(shell, inFolder(unlockScript('one'), folder), { env: { PATH: `${bin}:/usr/bin:/bin` } });
    expect(unlocked.stdout).toBe('held\n');
  });

  it('does not give back a lock that is another’s by now', async () => {
    const folder = temporaryFolder();
    const holder = await hold(shell, folder, 'one');
    writeFileSync(join(folder, 'lock', 'token'), 'two\n');
    await holder.release();
    expect(tokenIn(folder)).toBe('two');
  });

  it('goes to exactly one of two that ask at once', async () => {
    for (let round = 0; round < 10; round++) {
      const folder = temporaryFolder();
      const both = await Promise.all([hold(shell, folder, 'one'), hold(shell, folder, 'two')]);
      const winners = both.filter((each) => each.answer === LOCK_TAKEN);
      expect(both.map((each) => each.answer).sort()).toEqual([LOCK_HELD, LOCK_TAKEN]);
      expect(tokenIn(folder)).toBe(both[0].answer === LOCK_TAKEN ? 'one' : 'two');
      for (const each of winners) await each.release();
    }
  });

  it('that was left behind goes to exactly one of two that ask at once', async () => {
    for (let round = 0; round < 3; round++) {
      const folder = temporaryFolder();
      await (await hold(shell, folder, 'old')).die();
      const both = await Promise.all([hold(shell, folder, 'one'), hold(shell, folder, 'two')]);
      expect(both.map((each) => each.answer).sort()).toEqual([LOCK_HELD, LOCK_TAKEN_OVER]);
    }
  });

  describe('released by unlock', () => {
    const unlock = async (folder: string, token: string): Promise<string> =>
      (await run(shell, inFolder(unlockScript(token), folder))).stdout.trim();

    it('is none where there is none, or another’s', async () => {
      const folder = temporaryFolder();
      expect(await unlock(folder, 'one')).toBe('none');
      await (await hold(shell, folder, 'two')).die();
      expect(await unlock(folder, 'one')).toBe('none');
      expect(tokenIn(folder)).toBe('two');
    });

    it('is held while its holder or a script of it lives, and released then', async () => {
      const folder = temporaryFolder();
      const holder = await hold(shell, folder, 'one');
      expect(await unlock(folder, 'one')).toBe('held');
      const script = noteScript(folder);
      await holder.die();
      expect(await unlock(folder, 'one')).toBe('held');
      expect(tokenIn(folder)).toBe('one');
      await script.end();
      expect(await unlock(folder, 'one')).toBe('released');
      expect(readdirSync(folder)).toEqual(['lock.mutex']);
    });
  });
});

it('is judged on a machine with flock', () => {
  expect(execFileSync('flock', ['--version'], { encoding: 'utf8' })).toContain('flock');
});
