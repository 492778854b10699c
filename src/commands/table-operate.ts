/** The verbs that change a cluster which is there. */
import type { CommandEntry } from './command.ts';
import { identity, newIdentity, remote } from './options.ts';

export const operateVerbs: readonly CommandEntry[] = [
  {
    name: 'adopt',
    summary:
      'take a cluster over that was made elsewhere: an inventory that describes it, its authority, marks on its hosts',
    argument: '[targets...]',
    options: [
      ...remote,
      identity,
      newIdentity,
      { flags: '--out <file>', description: 'where to write the inventory (default: quorate.yml); never overwrites' },
      { flags: '--inventory-only', description: 'look and write the inventory; change nothing on the hosts' },
      { flags: '--name <name>', description: 'name of the cluster (default: etcd, or that of the draft)' },
      { flags: '--unit <unit>', description: 'the unit of the etcd that is meant, where a host runs several' },
      { flags: '--ca-key <file>', description: 'private key of the authority that the members trust' },
      { flags: '--peer-ca-key <file>', description: 'that of the authority for peers, where it is another' },
      { flags: '--read-ca-key', description: 'read that key from the host where it lies, and encrypt it here at once' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate adopt root@10.0.0.11 root@10.0.0.12 root@10.0.0.13 --ca-key ca.key --out quorate.yml',
    load: async () => (await import('./adopt.ts')).adopt,
  },
];
