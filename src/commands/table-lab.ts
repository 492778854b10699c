/** The verbs for labs. */
import type { CommandEntry } from './command.ts';

export const labVerbs: readonly CommandEntry[] = [
  {
    name: 'lab up',
    summary: 'make throw-away hosts on this machine (root, Debian): real systemd, real sshd',
    argument: '[name]',
    options: [
      { flags: '--hosts <number>', description: 'how many (default: 3)' },
      { flags: '--etcd <version>', description: 'version in the inventory that is written (default: 3.6.16)' },
    ],
    example: 'quorate lab up demo --hosts 3',
    load: async () => (await import('./lab.ts')).labUp,
  },
  {
    name: 'lab down',
    summary: 'remove every trace of a lab',
    argument: '[name]',
    options: [],
    example: 'quorate lab down demo',
    load: async () => (await import('./lab.ts')).labDown,
  },
  {
    name: 'lab list',
    summary: 'labs, their hosts and addresses',
    argument: '',
    options: [],
    example: 'quorate lab list',
    load: async () => (await import('./lab.ts')).labList,
  },
  {
    name: 'lab ssh',
    summary: 'a shell on a host of a lab',
    argument: '<name> <host> [command...]',
    options: [],
    example: 'quorate lab ssh demo demo-1',
    load: async () => (await import('./lab.ts')).labSsh,
  },
  {
    name: 'lab demo',
    summary: 'a lab of three hosts with a TLS cluster on it, from nothing (npm run demo)',
    argument: '',
    options: [],
    example: 'quorate lab demo',
    load: async () => (await import('./demo.ts')).demo,
  },
];
