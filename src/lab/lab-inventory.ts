/** The inventory of a lab: what quorate needs to reach its hosts and to find a release for them. */
import type { Lab } from './lab.ts';

export interface LabCluster {
  /** Name of the cluster. */
  readonly name: string;
  readonly version: string;
  /** `{source: file, path: …}` and the like, as the inventory writes it. */
  readonly binaries: Readonly<Record<string, unknown>>;
  readonly acceptHazards?: readonly string[] | undefined;
}

/** YAML text; private keys of the state directory open with `identity.txt` beside it. JSON is YAML, so values need no quoting of their own. */
export function labInventory(lab: Lab, cluster: LabCluster): string {
  const { ssh, hosts } = lab;
  const lines = [
    `# The hosts of the lab ${lab.name}: throw-away machines; quorate lab down ${lab.name} removes them.`,
    'apiVersion: quorate/v1',
    'cluster:',
    `  name: ${word(cluster.name)}`,
    `  version: ${word(cluster.version)}`,
    'ssh:',
    '  user: ops',
    '  sudo: passwordless',
    `  identityFiles: ${word(ssh.identityFile)}`,
    '  agent: false',
    `  knownHosts: ${word(ssh.knownHostsFile)}`,
    'controllers:',
    ...hosts.map((host) => `  ${host.name}: { address: ${word(host.ipv4)} }`),
    `binaries: ${word(cluster.binaries)}`,
    'pki:',
    '  identityFile: identity.txt',
    ...(cluster.acceptHazards === undefined ? [] : [`acceptHazards: ${word(cluster.acceptHazards)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function word(value: unknown): string {
  return JSON.stringify(value);
}
