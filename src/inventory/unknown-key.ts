/** Keys that no inventory has: what their writers meant. */
import { nearest } from '../domain/nearest.ts';
import { formatPath, type Path } from './complaint.ts';

/** The complaint about a key that is none of those `known` at its place: what it should be, or where it belongs. */
export function explainUnknownKey(path: Path, known: readonly string[]): string {
  const key = String(path.at(-1) ?? '');
  const elsewhere = misplaced(key, known);
  const other = otherNames[key];
  const near = nearest(key, known) ?? (other !== undefined && known.includes(other) ? other : undefined);
  const remedy = elsewhere ?? (near === undefined ? `known: ${known.join(', ')}` : `did you mean ${near}?`);
  const parent = path.length === 1 ? 'an inventory' : formatPath(path.slice(0, -1));
  return `is no key of ${parent} (${remedy})`;
}

function misplaced(key: string, known: readonly string[]): string | undefined {
  if (/^(password|passphrase|become_?pass|sudo_?password)$/i.test(key) && known.includes('passwordEnv')) {
    return `no secret stands in an inventory: name an environment variable, as ${/phrase/i.test(key) ? 'passphraseEnv' : 'passwordEnv'}`;
  }
  if (
    known.includes('address') &&
    known.includes('ssh') &&
    ['user', 'port', 'identityFiles', 'sudo', 'bastion', 'hostKey'].includes(key)
  ) {
    return 'write it below ssh: of the controller';
  }
  if (key === 'hostKey') return 'each host has its own key: write it below controllers.NAME.ssh';
  if (key === 'kind') return 'there is one kind only: delete it';
  return undefined;
}

/** What people write who know other tools, and how it is called here. */
const otherNames: Readonly<Record<string, string>> = {
  hosts: 'controllers',
  nodes: 'controllers',
  members: 'controllers',
  all: 'controllers',
  host: 'address',
  hostname: 'address',
  ip: 'address',
  ansible_host: 'address',
  identityFile: 'identityFiles',
  privateKey: 'identityFiles',
  keyFile: 'identityFiles',
  key: 'identityFiles',
  knownHostsFile: 'knownHosts',
  connectTimeout: 'connectTimeoutSeconds',
  timeout: 'connectTimeoutSeconds',
  extraSans: 'sans',
  subjectAltNames: 'sans',
  listen: 'listenAddresses',
  privateIp: 'privateAddress',
  jumpHost: 'bastion',
  proxyJump: 'bastion',
  become: 'sudo',
  tls: 'pki',
  certificates: 'pki',
  directories: 'paths',
};
