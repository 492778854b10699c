/** The verbs that tell and change who is a member. */
import type { CommandEntry } from './command.ts';
import { hazards, identity, patience, remote, successor } from './options.ts';

const change = [...remote, identity, hazards];
const confirmation = [
  { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' },
  { flags: '--yes', description: 'do not ask' },
];

export const memberVerbs: readonly CommandEntry[] = [
  {
    name: 'member list',
    summary: "members by the cluster's own list, with IDs, and what of it the inventory does not have",
    argument: '',
    options: [...remote, identity],
    example: 'quorate member list -i quorate.yml',
    load: async () => (await import('./member-list.ts')).memberListVerb,
  },
  {
    name: 'member add',
    summary:
      'controllers that the cluster lacks become members, one after another: as a learner first, then with a vote',
    argument: '[controllers...]',
    options: [...change, patience, ...confirmation],
    example: 'quorate member add etcd-4 etcd-5 -i quorate.yml',
    load: async () => (await import('./member-change.ts')).memberAdd,
  },
  {
    name: 'member promote',
    summary: 'learners get their vote once they have caught up',
    argument: '[controllers...]',
    options: [...change, patience, ...confirmation],
    example: 'quorate member promote etcd-4 -i quorate.yml',
    load: async () => (await import('./member-change.ts')).memberPromote,
  },
  {
    name: 'member replace',
    summary: 'another host, or the same one anew, in the place of a member that is dead, wiped, or to be moved',
    argument: '<member>',
    options: [...change, successor, patience, ...confirmation],
    example: 'quorate member replace etcd-2 --with etcd-4 -i quorate.yml',
    load: async () => (await import('./member-change.ts')).memberReplace,
  },
  {
    name: 'member remove',
    summary: 'take members out of the cluster by name or ID; their units are disabled, their data is moved aside',
    argument: '<members...>',
    options: [...change, ...confirmation],
    example: 'quorate member remove etcd-3 8e9e05c52164694d -i quorate.yml',
    load: async () => (await import('./member-change.ts')).memberRemove,
  },
  {
    name: 'member move-leader',
    summary: 'another member leads: the one that is named, or the best of the others',
    argument: '[controller]',
    options: [...change, ...confirmation],
    example: 'quorate member move-leader etcd-2 -i quorate.yml',
    load: async () => (await import('./member-change.ts')).memberMoveLeader,
  },
];
