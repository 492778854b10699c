import { createServer } from 'node:net';
import { expect, it, vi } from 'vitest';
import { openLocal } from '../../../src/transport/local.ts';
import { localController } from './local-controller.ts';

const env = { PATH: process.env['PATH'], SECRET: 'never inherited', USER: 'ada' };
const connection = openLocal(localController, { env, findSecret: () => Promise.resolve(undefined) });
const limits = { timeoutMs: 10_000 };

it('runs scripts on this machine as over SSH: from /, with umask 022, stdin, both outputs and the status', async () => {
  const script = "cat <<'END'\n$(id) `id` \\ !\nEND\npwd; umask; cat; echo warn >&2; exit 4";
  const input = Buffer.from('in\n');
  const result = await connection.run({ script, root: false, label: 'testing' }, { ...limits, input });
  expect(result).toEqual({
    status: 4,
    signal: undefined,
    stdout: '$(id) `id` \\ !\n/\n0022\nin\n',
    stderr: 'warn\n',
  });
});

it('keeps the environment, which may hold secrets, from scripts', async () => {
  vi.stubEnv('KEY_PASSPHRASE', 'never inherited either');
  const result = await connection.run({ script: 'env', root: false, label: 'testing' }, limits);
  expect(result.stdout).toContain('USER=ada');
  expect(result.stdout).not.toContain('never inherited');
  vi.unstubAllEnvs();
});

it('ends a script whose time is up', async () => {
  const running = connection.run({ script: 'exec sleep 30', root: false, label: 'sleeping' }, { timeoutMs: 200 });
  await expect(running).rejects.toMatchObject({ message: 'here: sleeping: timed out after 0.2 s' });
});

it('opens tunnels without one', async () => {
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  const tunnel = await connection.tunnel('127.0.0.1', bound.port);
  const [chunk] = await tunnel.take(1).toArray();
  expect(String(chunk)).toBe('hello');
  await new Promise((resolve) => server.close(resolve));
  await expect(connection.tunnel('127.0.0.1', bound.port)).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringMatching(/^here: 127\.0\.0\.1:\d+ cannot be reached: /),
  });
});
