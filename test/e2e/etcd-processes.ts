/** Real etcd members on loopback, with certificates made by openssl. Ended by pid. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { StreamFactory } from '../../src/etcd/secure.ts';
import { cacheFolder } from '../../src/lab/cache.ts';

/** Unpacks a release from the cache into `folder`; the path of its etcd, or undefined where the cache has none. */
export function releasedEtcd(version: string, folder: string): string | undefined {
  const name = `etcd-v${version}-linux-amd64`;
  const tarball = join(cacheFolder(), 'releases', `v${version}`, `${name}.tar.gz`);
  if (!existsSync(tarball)) return undefined;
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, `${name}/etcd`]);
  return join(folder, name, 'etcd');
}

export interface Pems {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority in `folder/name.{crt,key}`. */
export function makeAuthority(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true });
  openssl(
    folder,
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat([
      ...['-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`],
    ]),
  );
}

/** A leaf for both uses in `folder/name.{crt,key}`. */
export function makeLeaf(folder: string, authority: string, name: string, sans: string): Pems {
  writeFileSync(join(folder, 'leaf.cnf'), `subjectAltName=${sans}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  openssl(
    folder,
    ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`].concat([
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
    ]),
  );
  openssl(
    folder,
    ['x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`].concat([
      ...['-CAcreateserial', '-days', '2', '-extfile', 'leaf.cnf', '-out', `${name}.crt`],
    ]),
  );
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  return { ca: read(`${authority}.crt`), cert: read(`${name}.crt`), key: read(`${name}.key`) };
}

export interface RunningMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly process: ChildProcess;
}

/** Starts members that form a cluster with mutual TLS on both ports; certificates stand in `folder`. */
export async function startMembers(
  etcd: string,
  options: { readonly folder: string; readonly names: readonly string[]; readonly token: string },
): Promise<readonly RunningMember[]> {
  const { folder, names, token } = options;
  const members = await Promise.all(
    names.map(async (name) => ({ name, clientPort: await freePort(), peerPort: await freePort() })),
  );
  const initial = members.map((each) => `${each.name}=https://127.0.0.1:${each.peerPort}`).join(',');
  return members.map((member) => {
    const flags = {
      name: member.name,
      'data-dir': join(folder, `${member.name}.data`),
      'listen-client-urls': `https://127.0.0.1:${member.clientPort}`,
      'advertise-client-urls': `https://127.0.0.1:${member.clientPort}`,
      'listen-peer-urls': `https://127.0.0.1:${member.peerPort}`,
      'initial-advertise-peer-urls': `https://127.0.0.1:${member.peerPort}`,
      'initial-cluster': initial,
      'initial-cluster-token': token,
      'heartbeat-interval': '50',
      'election-timeout': '500',
      ...{ 'client-cert-auth': 'true', 'trusted-ca-file': join(folder, 'ca.crt') },
      ...{ 'cert-file': join(folder, 'member.crt'), 'key-file': join(folder, 'member.key') },
      ...{ 'peer-client-cert-auth': 'true', 'peer-trusted-ca-file': join(folder, 'peer-ca.crt') },
      ...{ 'peer-cert-file': join(folder, 'peer.crt'), 'peer-key-file': join(folder, 'peer.key') },
    };
    const words = Object.entries(flags).map(([key, value]) => `--${key}=${value}`);
    return { ...member, process: spawn(etcd, words, { stdio: 'ignore' }) };
  });
}

/** Ends members by their pids and waits for them. */
export async function stopMembers(members: readonly RunningMember[]): Promise<void> {
  await Promise.all(
    members.map(async ({ process }) => {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const gone = new Promise((resolve) => process.once('exit', resolve));
      process.kill('SIGKILL');
      await gone;
    }),
  );
}

export function tcp(port: number): StreamFactory {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    });
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function openssl(folder: string, words: readonly string[]): void {
  execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
}
