/** The verbs that bring a running cluster to what is wanted, restart, start and stop it. */
import type { CommandEntry } from './command.ts';
import { converging, hazards, identity, patience, remote, turns } from './options.ts';

const savedPlan = { flags: '--plan <file>', description: 'run this saved plan, or refuse when it no longer holds' };
const yes = { flags: '--yes', description: 'do not ask' };
const member = { flags: '--member <name...>', description: 'these members only (default: all)' };

export const convergeVerbs: readonly CommandEntry[] = [
  {
    name: 'apply',
    summary:
      'bring a running cluster to the inventory: settings, units, binaries, certificates, members; one after another',
    argument: '',
    options: [...remote, identity, hazards, ...converging, ...turns, patience, savedPlan, yes],
    example: 'quorate apply -i quorate.yml --only config',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'restart',
    summary: 'restart members one after another, the leader last; goes on after an interruption',
    argument: '',
    options: [...remote, identity, hazards, ...turns, savedPlan, yes],
    example: 'quorate restart -i quorate.yml --member etcd-2',
    load: async () => (await import('./restart.ts')).restart,
  },
  {
    name: 'start',
    summary: 'start a stopped cluster, all members at once',
    argument: '',
    options: [...remote, identity, hazards, member, savedPlan, yes],
    example: 'quorate start -i quorate.yml --yes',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'stop',
    summary: 'stop every member; data, files and the start at boot stay',
    argument: '',
    options: [
      ...remote,
      hazards,
      { flags: '--yes-stop <name>', description: 'do not ask: the name of the cluster to stop' },
    ],
    example: 'quorate stop -i quorate.yml --yes-stop production',
    load: async () => (await import('./stop.ts')).stop,
  },
];
