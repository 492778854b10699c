/** An SSH server that lets one in and then answers nothing more: every wait of ours ends. */
import { connect } from 'node:net';
import ssh2, { type Server } from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Controller, SshTarget } from '../../../src/domain/controller.ts';
import { SshLink } from '../../../src/transport/link.ts';
import { openAll } from '../../../src/transport/open.ts';
import { localController } from './local-controller.ts';

const key = ssh2.utils.generateKeyPairSync('ed25519');
let server: Server;
let silent: SshTarget;

beforeAll(async () => {
  server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    client.on('authentication', (login) => login.accept());
    client.on('error', () => undefined);
    // Requests for sessions and streams are taken, and never answered.
    client.on('session', () => undefined);
    client.on('tcpip', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  silent = { ...localController.ssh, port, hostKey: key.public, passwordEnv: 'PASSWORD', connectTimeoutMs: 500 };
});

afterAll(() => server.close());

it('gives a host behind a silent bastion up after the time for connecting', async () => {
  const behind: Controller = { ...localController, transport: 'ssh', ssh: { ...silent, port: 1, bastion: silent } };
  const transports = await openAll([behind], { env: { PASSWORD: 'x' }, acceptNewHostKeys: false });
  await transports.close();
  expect(transports.failures.map((each) => each.message)).toEqual([
    expect.stringMatching(/^here: 127\.0\.0\.1:1 cannot be reached from bastion .*: no answer within 0\.5 s$/),
  ]);
});

it('leaves no timer behind that would keep the process alive when the socket has gone before its client', async () => {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen');
  const socket = connect(address.port, '127.0.0.1');
  const client = new ssh2.Client();
  await new Promise((resolve, reject) => {
    client.once('ready', () => resolve(undefined));
    client.once('error', reject);
    client.connect({ sock: socket, username: 'u', password: 'x', readyTimeout: 0 });
  });
  const link = new SshLink(client, socket, 'here');
  socket.destroy();
  const before = timers();
  await expect(link.forward('127.0.0.1', 1)).rejects.toThrow('here opened no session: Not connected');
  expect(timers()).toBe(before);
  await link.ended;
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
}
