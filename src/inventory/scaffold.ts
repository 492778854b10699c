/** The text of a first inventory, with the comments that its reader needs. */
import { QuorateError } from '../domain/errors.ts';
import { isDnsName, parseIp } from './address.ts';
import { addressRule, ipRule } from './address-rules.ts';
import { quote } from './complaint.ts';
import { loginRule, nameRule, versionRule } from './name-rules.ts';
import type { Flaw } from './value-rule.ts';

export interface ScaffoldHost {
  /** The controller's name. */
  readonly name: string;
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** What etcd listens on, where that is not `host`. */
  readonly privateAddress?: string | undefined;
}

export interface ScaffoldInput {
  readonly cluster: string;
  /** Release of etcd; 3.6.16 where it is not given. */
  readonly version?: string | undefined;
  /** At least one. */
  readonly hosts: readonly ScaffoldHost[];
}

/**
 * A commented inventory that parseInventory takes, unless a host is known by DNS name only: then its `privateAddress` is left for the
 * operator to fill in. Throws QuorateError `usage` for values that no inventory may hold.
 */
export function scaffoldInventory({ cluster, version = '3.6.16', hosts }: ScaffoldInput): string {
  requireSound('cluster', cluster, nameRule.check(cluster));
  requireSound('version', version, versionRule.check(version));
  for (const host of hosts) checkHost(host);
  const user = mostUsed(hosts.map((host) => host.user ?? 'root'));
  const port = mostUsed(hosts.map((host) => host.port ?? 22));
  return [
    ...header(cluster, version),
    ...sshLines(user, port),
    'controllers:',
    ...hosts.flatMap((host) => controllerLines(host, { user, port })),
    ...footer,
  ].join('\n');
}

function header(cluster: string, version: string): readonly string[] {
  return [
    '# An inventory of quorate: one etcd cluster. Check it with `quorate validate`, see what it means with `quorate plan`.',
    '# Every key, with the reason for its value: inventories/example.yml of quorate.',
    'apiVersion: quorate/v1',
    '',
    'cluster:',
    '  # Names the state folder, the certificates, and what destroying the cluster asks for. Fixed once it is built.',
    `  name: ${yamlWord(cluster)}`,
    '  # A full release; every member gets the same.',
    `  version: ${version}`,
    '',
  ];
}

function sshLines(user: string, port: number): readonly string[] {
  return [
    '# For every controller; each may have an `ssh:` of its own with what differs.',
    'ssh:',
    `  user: ${yamlWord(user)}`,
    ...(port === 22 ? [] : [`  port: ${port}`]),
    ...(user === 'root'
      ? []
      : [
          '  # How this user becomes root: passwordless, password (asked), or {passwordEnv: VARIABLE}.',
          '  sudo: passwordless',
        ]),
    '  # Without identityFiles: the agent, then ~/.ssh/id_ed25519, id_ecdsa and id_rsa.',
    '  # identityFiles: ~/.ssh/etcd_ed25519',
    '  # bastion: {address: bastion.example.org, user: jump}',
    '',
    '# One member each: three survive the loss of one, five of two. The name should be what `hostname` says.',
  ];
}

function controllerLines(
  host: ScaffoldHost,
  common: { readonly user: string; readonly port: number },
): readonly string[] {
  const { user = 'root', port = 22 } = host;
  const own = [
    ...(user === common.user ? [] : [`user: ${yamlWord(user)}`]),
    ...(port === common.port ? [] : [`port: ${port}`]),
  ];
  return [
    `  ${yamlWord(host.name)}:`,
    `    address: ${yamlWord(host.host)}`,
    ...privateLines(host),
    ...(own.length === 0 ? [] : [`    ssh: {${own.join(', ')}}`]),
  ];
}

function privateLines({ host, privateAddress }: ScaffoldHost): readonly string[] {
  if (privateAddress !== undefined && privateAddress !== host) {
    return [`    privateAddress: ${yamlWord(privateAddress)} # etcd listens here, and the members dial it`];
  }
  const known = parseIp(host) !== undefined || !isDnsName(host);
  return known
    ? []
    : ['    # etcd binds IP addresses only: write the one that the members reach.', '    # privateAddress: 10.0.0.1'];
}

const footer = [
  '',
  '# etcd’s own keys, by etcd’s names; quorate’s defaults for the rest are in inventories/example.yml.',
  '# etcd:',
  '#   quota-backend-bytes: 8GiB',
  '',
  '# Where the binaries come from; the official releases when nothing is said.',
  '# binaries:',
  '#   source: mirror',
  '#   url: https://mirror.example.org/etcd',
  '',
];

function checkHost(host: ScaffoldHost): void {
  requireSound('name', host.name, nameRule.check(host.name));
  requireSound('host', host.host, addressRule.check(host.host));
  if (host.user !== undefined) requireSound('user', host.user, loginRule.check(host.user));
  if (host.privateAddress !== undefined)
    requireSound('private address', host.privateAddress, ipRule.check(host.privateAddress));
}

function requireSound(what: string, value: string, flaw: Flaw | undefined): void {
  if (flaw === undefined) return;
  throw new QuorateError('usage', `${what} ${quote(value)} ${flaw.problem}`, { hint: flaw.remedy });
}

function mostUsed<Value>(values: readonly Value[]): Value {
  const counted = values.map((value) => ({ value, count: values.filter((other) => other === value).length }));
  const [first] = counted.toSorted((left, right) => right.count - left.count);
  if (first === undefined)
    throw new QuorateError('usage', 'no hosts', { hint: 'quorate init root@10.0.0.1 root@10.0.0.2 root@10.0.0.3' });
  return first.value;
}

/** Words that some YAML reads as something else than text are quoted. */
function yamlWord(text: string): string {
  const plain = /^[A-Za-z_][A-Za-z0-9._-]*$/.test(text) || /^\d{1,3}(\.\d{1,3}){3}$/.test(text);
  const trap = /^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain && !trap ? text : JSON.stringify(text);
}
