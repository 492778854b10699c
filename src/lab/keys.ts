/** The lab's SSH identity, its hosts' keys, and the known_hosts and ssh_config that go with them. */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProgram } from './program.ts';
import type { HostRecord, LabPlace } from './state.ts';

/** The files with which anybody on this machine reaches the lab's hosts. */
export interface SshFiles {
  /** An ed25519 private key, 0600, without passphrase; `.pub` beside it. */
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** For `ssh -F`: knows every host by name. */
  readonly configFile: string;
}

/** Where a lab keeps its SSH files. */
export function sshFiles(place: LabPlace): SshFiles {
  const folder = join(place.folder, 'ssh');
  return {
    identityFile: join(folder, 'id_ed25519'),
    knownHostsFile: join(folder, 'known_hosts'),
    configFile: join(folder, 'config'),
  };
}

/** Makes the lab's key pair and returns the public key's line. */
export async function makeIdentity(place: LabPlace): Promise<string> {
  const { identityFile } = sshFiles(place);
  await mkdir(dirname(identityFile), { recursive: true });
  await chmod(dirname(identityFile), 0o700);
  return makeKey(identityFile, 'ed25519', `quorate-lab-${place.name}`);
}

/** Makes the private keys of a host's sshd in `folder` and returns the public keys' lines. */
export async function makeHostKeys(folder: string, host: string): Promise<string[]> {
  return Promise.all(
    ['ed25519', 'ecdsa'].map((type) => makeKey(join(folder, `ssh_host_${type}_key`), type, `root@${host}`)),
  );
}

/** Writes known_hosts and ssh_config for hosts whose public keys are `keys[name]`. */
export async function writeSshFiles(
  place: LabPlace,
  hosts: readonly HostRecord[],
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const files = sshFiles(place);
  await writeFile(files.knownHostsFile, hosts.map((host) => knownHostLines(host, keys.get(host.name) ?? [])).join(''));
  await writeFile(files.configFile, hosts.map((host) => configStanza(host, files)).join('\n'));
}

function knownHostLines(host: HostRecord, keys: readonly string[]): string {
  return keys.map((key) => `${host.name},${host.ipv4},${host.ipv6} ${key.split(' ').slice(0, 2).join(' ')}\n`).join('');
}

function configStanza(host: HostRecord, files: SshFiles): string {
  return [
    `Host ${host.name} ${host.ipv4}`,
    `  HostName ${host.ipv4}`,
    '  User ops',
    `  IdentityFile "${files.identityFile}"`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile "${files.knownHostsFile}"`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '',
  ].join('\n');
}

async function makeKey(file: string, type: string, comment: string): Promise<string> {
  await rm(file, { force: true });
  await runProgram(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', comment, '-f', file]);
  return (await readFile(`${file}.pub`, 'utf8')).trim();
}
