import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeLock } from '../../../src/apply/lock.ts';
import { BEAT, LOCK_LOOKED, LOCK_TAKEN, LOCK_TAKEN_OVER, RELEASE, TAKE } from '../../../src/apply/lock-script.ts';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { Connection, RemoteProcess } from '../../../src/transport/transport.ts';

type End = Awaited<RemoteProcess['done']>;

/** A host whose script answers as told; `said` is what it was sent. */
function hostOf(host: string, answer = `${LOCK_TAKEN}\n`) {
  const said: string[] = [];
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  let end: (how: End) => void = () => undefined;
  let cut: (error: unknown) => void = () => undefined;
  const done = new Promise<End>((resolve, reject) => {
    [end, cut] = [resolve, reject];
  });
  done.catch(() => undefined);
  stdin.on('data', (chunk) => {
    said.push(String(chunk));
    if (String(chunk) === TAKE) stdout.write(answer);
    if (String(chunk) === RELEASE) end({ status: 0, signal: undefined });
  });
  const process: RemoteProcess = { stdin, stdout, stderr: new PassThrough(), done, close: () => stdin.destroy() };
  const unused = () => Promise.reject(new Error('the fake takes locks only'));
  let script = '';
  const start: Connection['start'] = async (sent) => {
    script = sent.script;
    return process;
  };
  const connection: Connection = { host, start, run: unused, tunnel: unused, close: unused };
  return {
    connection,
    said,
    script: () => script,
    stdout,
    end: () => end({ status: 0, signal: undefined }),
    cut: (e: unknown) => cut(e),
  };
}

const owner = { owner: 'ada@laptop', command: 'bootstrap', since: '2026-01-01T00:00:00Z' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets promises that are settled tell so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe('a lock that is held', () => {
  it('is held while every holder lives, and told so', async () => {
    const [one, two] = [hostOf('etcd-1'), hostOf('etcd-2')];
    const lock = await takeLock([two.connection, one.connection], owner);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(() => lock.requireHeld()).not.toThrow();
    expect(one.said.filter((each) => each === BEAT)).toHaveLength(60);
    await lock.release();
    expect(one.said.at(-1)).toBe(RELEASE);
  });

  it('is lost when a holder ends, as another run that took over sees to', async () => {
    const [one, two] = [hostOf('etcd-1'), hostOf('etcd-2')];
    const lock = await takeLock([one.connection, two.connection], owner);
    two.end();
    await settle();
    expect(() => lock.requireHeld()).toThrow(
      expect.objectContaining({
        code: 'locked',
        message: 'etcd-2: this run holds its lock no more: the script that held it has ended',
      }),
    );
    await lock.release();
  });

  it('is lost with the connection of a holder', async () => {
    const one = hostOf('etcd-1');
    const lock = await takeLock([one.connection], owner);
    one.cut(new QuorateError('unreachable', 'etcd-1: the connection was lost: keepalive timeout', { host: 'etcd-1' }));
    await settle();
    expect(() => lock.requireHeld()).toThrow(
      expect.objectContaining({
        code: 'unreachable',
        message: 'etcd-1: this run holds its lock no more: the connection was lost: keepalive timeout',
      }),
    );
    await lock.release();
  });

  it('is lost to a run that stood still for as long as holders wait, before it knows of any connection', async () => {
    const one = hostOf('etcd-1');
    const lock = await takeLock([one.connection], owner);
    vi.setSystemTime(Date.now() + 59_000);
    expect(() => lock.requireHeld()).not.toThrow();
    vi.setSystemTime(Date.now() + 2_000);
    expect(() => lock.requireHeld()).toThrow('this run stood still for 61 s (limit 60 s)');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(() => lock.requireHeld()).toThrow('this run stood still');
    expect(one.said).not.toContain(BEAT);
    await lock.release();
  });
});

describe('looking in the moment of the lock', () => {
  it('gives what each host printed, and has the lock meanwhile', async () => {
    const one = hostOf('etcd-1', `${LOCK_TAKEN}\nfirst\n\nlast\n${LOCK_LOOKED}\n`);
    const two = hostOf('etcd-2', `${LOCK_TAKEN_OVER}\nother\n${LOCK_LOOKED}\n`);
    const seen: Record<string, Promise<string>> = {};
    const look = {
      script: (host: string) => `look at ${host}`,
      onLooked: (host: string, output: Promise<string>) => {
        seen[host] = output;
      },
    };
    const lock = await takeLock([two.connection, one.connection], owner, { look });
    expect(await seen['etcd-1']).toBe('first\n\nlast\n');
    expect(await seen['etcd-2']).toBe('other\n');
    expect(lock.takenOver).toEqual(['etcd-2']);
    expect(one.script()).toContain('look at etcd-1');
    await lock.release();
    expect(one.said.at(-1)).toBe(RELEASE);
  });

  it('gives less than that where the script ends', async () => {
    const one = hostOf('etcd-1', `${LOCK_TAKEN}\nfirst\n`);
    let seen: Promise<string> | undefined;
    const look = {
      script: () => 'look',
      onLooked: (_host: string, output: Promise<string>) => {
        seen = output;
      },
    };
    const lock = await takeLock([one.connection], owner, { look });
    one.stdout.end();
    expect(await seen).toBe('first\n');
    await lock.release();
  });

  it('takes no more than any script may print', async () => {
    const one = hostOf('etcd-1', `${LOCK_TAKEN}\n${'x'.repeat(65 * 1024 * 1024)}\n${LOCK_LOOKED}\n`);
    const look = { script: () => 'look', onLooked: () => undefined };
    await expect(takeLock([one.connection], owner, { look })).rejects.toThrow('its lock says more than 65536 KiB');
  });
});

describe('a host that says too much of its lock, or nothing', () => {
  it('is told by its name and the limit', async () => {
    const one = hostOf('etcd-1', `${'x'.repeat(70_000)}\n`);
    await expect(takeLock([one.connection], owner)).rejects.toThrow('etcd-1: its lock says more than 64 KiB');
  });
});
