/** A real sshd on a loopback port with keys and configuration of its own, for tests of the transport. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Controller, SshTarget } from '../../src/domain/controller.ts';
import { needPackages } from './accounts.ts';

const sshdPath = '/usr/sbin/sshd';

/** Installs Debian's openssh-server where it is missing (the tests run as root, as `npm test` says). */
export function needSshd(): void {
  if (!existsSync(sshdPath)) needPackages('openssh-server');
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
}

/** A folder for one test file with one operator's key in it. */
export interface Workshop {
  readonly folder: string;
  readonly identity: string;
  path(name: string): string;
  remove(): void;
}

export function makeWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-ssh-'));
  const path = (name: string): string => join(folder, name);
  makeKey(path('id'), 'ed25519');
  chmodSync(folder, 0o711);
  return { folder, identity: path('id'), path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function makeKey(file: string, type: 'ed25519' | 'rsa' | 'ecdsa', passphrase = ''): void {
  rmSync(file, { force: true });
  rmSync(`${file}.pub`, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file]);
}

export interface Sshd {
  readonly port: number;
  /** `ssh-ed25519 AAAA…` for each of its host keys. */
  readonly hostKeys: readonly string[];
  readonly process: ChildProcess;
  readonly log: () => string;
  stop(): void;
}

export interface SshdOptions {
  /** More lines of sshd_config, which win over those of the harness. */
  readonly config?: readonly string[];
  readonly hostKeys?: readonly string[];
  readonly address?: string;
}

/** Starts it and waits until it answers; the operator's key may log in as any user. */
export async function startSshd(shop: Workshop, options: SshdOptions = {}): Promise<Sshd> {
  const { address = '127.0.0.1' } = options;
  const port = await freePort(address);
  const hostKeys = options.hostKeys ?? [makeHostKey(shop, `host-${port}`, 'ed25519')];
  const authorized = shop.path(`authorized-${port}`);
  writeFileSync(authorized, readFileSync(`${shop.identity}.pub`, 'utf8'), { mode: 0o644 });
  const config = shop.path(`sshd-${port}.conf`);
  writeFileSync(
    config,
    [
      ...(options.config ?? []),
      ...(options.config?.some((line) => line.startsWith('MaxStartups')) ? [] : ['MaxStartups 100']),
      `ListenAddress ${address.includes(':') ? `[${address}]` : address}:${port}`,
      ...hostKeys.map((file) => `HostKey ${file}`),
      `AuthorizedKeysFile ${authorized}`,
      ...[
        'StrictModes no',
        'UsePAM no',
        'PidFile none',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'PermitRootLogin yes',
      ],
      ...['UseDNS no', 'LogLevel VERBOSE', ''],
    ].join('\n'),
  );
  const process = spawn(sshdPath, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  process.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await waitForPort(address, port, () => log);
  return {
    ...{ port, process, log: () => log, stop: () => process.kill() },
    hostKeys: hostKeys.map((file) => readFileSync(`${file}.pub`, 'utf8').trim()),
  };
}

export function makeHostKey(shop: Workshop, name: string, type: 'ed25519' | 'rsa' | 'ecdsa'): string {
  const file = shop.path(name);
  makeKey(file, type);
  return file;
}

/** Writes a known_hosts file for running servers. */
export function writeKnownHosts(file: string, servers: readonly Sshd[], address = '127.0.0.1'): string {
  const lines = servers.flatMap((server) => server.hostKeys.map((key) => `[${address}]:${server.port} ${key}\n`));
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  return file;
}

/** A controller whose SSH is a server of this file; the rest of it does not matter here. */
export function controllerAt(name: string, ssh: Partial<SshTarget>): Controller {
  return {
    name,
    transport: 'ssh',
    ssh: { ...targetDefaults(), ...ssh },
    listenAddresses: ['127.0.0.1'],
    advertiseAddress: '127.0.0.1',
    ...{ clientPort: 2379, peerPort: 2380, metricsPort: 2381 },
    clientUrl: 'https://127.0.0.1:2379',
    peerUrl: 'https://127.0.0.1:2380',
    sans: { dns: [], ip: [] },
  };
}

export function targetDefaults(): SshTarget {
  return {
    address: '127.0.0.1',
    port: 22,
    user: userInfo().username,
    identityFiles: [],
    agent: false,
    passphraseEnv: undefined,
    passwordEnv: undefined,
    hostKey: undefined,
    knownHostsFiles: [],
    sudo: 'none',
    connectTimeoutMs: 5_000,
    bastion: undefined,
  };
}

export async function freePort(address = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

async function waitForPort(address: string, port: number, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: address, port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(25);
  }
  throw new Error(`sshd did not start on ${address}:${port}: ${log()}`);
}
