import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { collect } from '../../../src/transport/collect.ts';
import { type Launch, launch } from '../../../src/transport/launch.ts';
import type { RunOptions } from '../../../src/transport/transport.ts';
import { type FakeSudo, launchOf, makeFakeSudo, shellPipes } from './shell-pipes.ts';

const run = { host: 'etcd-1', label: 'testing' };

function runIn(shell: string, launched: Launch, options: Partial<RunOptions> = {}, env: Record<string, string> = {}) {
  const running = launch(shellPipes(shell, launched.stage.command, env), launched);
  return collect(async () => running, run, { timeoutMs: 10_000, ...options });
}

const failureOf = (running: Promise<unknown>): Promise<QuorateError> =>
  running.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (error instanceof QuorateError) return error;
      throw error;
    },
  );

const shells = ['sh', 'bash', 'dash', 'fish', 'csh', 'tcsh', 'zsh', 'ksh'].filter((shell) => {
  try {
    return execFileSync('which', [shell]).length > 0;
  } catch {
    return false;
  }
});

describe.each(shells)('a script under the login shell %s', (shell) => {
  it('keeps its text, its stdin, its two outputs and its status', async () => {
    const script = `printf '%s\\n' "it's" '!!' '\\x' "$(pwd) $(umask)"\ncat\necho warn >&2\nexit 7 # é`;
    const result = await runIn(shell, launchOf(script), { input: Buffer.from('é\n!\n\n') });
    expect(result).toEqual({
      status: 7,
      signal: undefined,
      stdout: "it's\n!!\n\\x\n/ 0022\né\n!\n\n",
      stderr: 'warn\n',
    });
  });
});

describe('a script', () => {
  it('may be 200 KB long and leaves every byte after it to the script', async () => {
    const input = Buffer.alloc(300_000, 'abcdefg\n');
    const result = await runIn('sh', launchOf(`${'# comment\n'.repeat(20_000)}cat`), { input: Readable.from([input]) });
    expect(result.stdout === input.toString()).toBe(true);
  });

  it('is told apart from what start files print, even when they trace their commands', async () => {
    const launched = launchOf('echo mine; echo warn >&2');
    const command = `echo hello; echo oops >&2; set -xv; ${launched.stage.command}`;
    const result = await collect(async () => launch(shellPipes('bash', command), launched), run, {
      timeoutMs: 10_000,
    });
    expect([result.stdout, result.stderr]).toEqual(['mine\n', 'warn\n']);
  });

  it('may ignore its input and end before it has all arrived', async () => {
    const input = Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(65_536)));
    expect((await runIn('sh', launchOf('exit 5'), { input })).status).toBe(5);
  });

  it('does not start when only a part of it arrives', async () => {
    const launched = launchOf('echo never');
    const cut = { ...launched, stage: { ...launched.stage, header: launched.stage.header.slice(0, -4) } };
    expect((await failureOf(runIn('sh', cut))).message).toBe(
      'etcd-1: the script did not arrive whole, or base64 is missing on the host',
    );
  });

  it('tells a signal that ended it', async () => {
    expect(await runIn('sh', launchOf('kill -KILL $PPID; kill -KILL $$'))).toMatchObject({ signal: 'SIGKILL' });
  });

  it('fails with the label and the limit when it takes too long', async () => {
    const error = await failureOf(runIn('sh', launchOf('exec sleep 30'), { timeoutMs: 300 }));
    expect([error.code, error.message]).toEqual(['step-failed', 'etcd-1: testing: timed out after 0.3 s']);
  });

  it('stops when it is interrupted', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const error = await failureOf(runIn('sh', launchOf('exec sleep 30'), { signal: controller.signal }));
    expect(error.code).toBe('interrupted');
  });

  it('fails when its input cannot be read', async () => {
    const input = new Readable({ read: () => input.destroy(new Error('disk gone')) });
    const error = await failureOf(runIn('sh', launchOf('cat'), { input }));
    expect(error.message).toBe('etcd-1: testing: its input cannot be read');
    expect(error.cause).toMatchObject({ message: 'disk gone' });
  });

  it('fails when it prints more than 64 MiB', async () => {
    const error = await failureOf(runIn('sh', launchOf('exec yes')));
    expect(error.message).toBe('etcd-1: testing: printed more than 64 MiB');
  });

  it('fails with what the login shell printed when that ends before it', async () => {
    const launched = launchOf('echo never');
    const pipes = shellPipes('sh', 'echo This account is currently not available.; exit 1');
    const error = await failureOf(collect(async () => launch(pipes, launched), run, { timeoutMs: 10_000 }));
    expect(error.message).toBe('etcd-1: the login shell of ada ended (status 1) before the script began');
    expect([error.code, error.step]).toEqual(['unreachable', 'command']);
    expect(error.detail).toBe('This account is currently not available.');
  });
});

describe('sudo', () => {
  let sudo: FakeSudo;
  afterEach(() => sudo.remove());

  it('gets its password by stdin, in no argument, and the script afterwards', async () => {
    sudo = makeFakeSudo('asks');
    const result = await runIn(
      'sh',
      launchOf('cat; id -u', 'password', 'right'),
      { input: Buffer.from('in\n') },
      sudo.env,
    );
    expect(result.stdout).toBe(`in\n${process.getuid?.()}\n`);
    expect(result.stderr).toBe('');
    expect(sudo.passwords()).toEqual(['right']);
    expect(sudo.words()).not.toContain('right');
  });

  it('does not mind a password that was not asked for', async () => {
    sudo = makeFakeSudo('free');
    const result = await runIn('sh', launchOf('cat', 'password', 'right'), { input: Buffer.from('in\n') }, sudo.env);
    expect(result).toMatchObject({ status: 0, stdout: 'in\n', stderr: '' });
  });

  it('is never given the script for a second password', async () => {
    sudo = makeFakeSudo('asks');
    const error = await failureOf(runIn('sh', launchOf('cat', 'password', 'wrong-one'), {}, sudo.env));
    expect(error.message).toBe('etcd-1: sudo refused the password of ada');
    expect([error.code, error.step, error.host]).toEqual(['unreachable', 'sudo', 'etcd-1']);
    expect(sudo.passwords()).toEqual(['wrong-one']);
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('wrong-one');
    expect(error.detail).toContain('Sorry, try again.');
  });

  it.each([
    ['denied', 'password', 'sudo refused ada: not allowed in sudoers, or a terminal is required'],
    ['unlisted', 'password', 'sudo refused ada: not allowed in sudoers, or a terminal is required'],
    ['asks', 'passwordless', 'sudo refused ada: it wants a password or a terminal, or ada may not run /bin/sh as root'],
  ] as const)('that says no (%s, %s) is told as such', async (behaviour, mode, message) => {
    sudo = makeFakeSudo(behaviour);
    const password = mode === 'password' ? 'right' : undefined;
    const error = await failureOf(runIn('sh', launchOf('cat', mode, password), {}, sudo.env));
    expect(error.message).toBe(`etcd-1: ${message}`);
    expect(error.detail).toContain('lecture');
  });

  it('that is missing is told as such', async () => {
    sudo = makeFakeSudo('free');
    const error = await failureOf(runIn('/bin/sh', launchOf('true', 'passwordless'), {}, { PATH: '/nowhere' }));
    expect(error.message).toBe('etcd-1: sudo is not installed');
  });
});
