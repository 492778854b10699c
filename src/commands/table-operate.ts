/** The verbs that change a cluster which is there. */
import type { CommandEntry } from './command.ts';
import { hazards, identity, newIdentity, remote, versions } from './options.ts';

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
  {
    name: 'upgrade',
    summary: 'bring every member to another version of etcd: snapshot first, one minor and one member at a time',
    argument: '',
    options: [
      ...remote,
      identity,
      hazards,
      { flags: '--to <version>', description: 'the version to end with (default: that of the inventory)' },
      ...versions,
      { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate upgrade -i quorate.yml --to 3.7.3 --via 3.6.16',
    load: async () => (await import('./upgrade.ts')).upgrade,
  },
  {
    name: 'downgrade',
    summary: "bring every member to an older version by etcd's own procedure: snapshot first, one minor at a time",
    argument: '',
    options: [
      ...remote,
      identity,
      hazards,
      { flags: '--to <version>', description: 'the version to end with: 3.5 is the oldest minor' },
      { flags: '--abort', description: 'take a downgrade back that is not finished: every member to what ran before' },
      ...versions,
      { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
      { flags: '--yes', description: 'do not ask' },
    ],
    example: 'quorate downgrade -i quorate.yml --to 3.6.16',
    load: async () => (await import('./upgrade.ts')).downgrade,
  },
];
