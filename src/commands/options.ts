/** Options that several verbs take. */
import type { OptionEntry } from './command.ts';

export const inventory: OptionEntry = {
  flags: '-i, --inventory <file>',
  description: 'inventory; - is stdin (default: $QUORATE_INVENTORY, ./quorate.yml)',
};
export const hostKeys: OptionEntry = {
  flags: '--accept-new-host-keys',
  description: 'accept unknown SSH host keys and add them to known_hosts; changed ones never',
};
export const identity: OptionEntry = {
  flags: '--identity <file>',
  description: 'age identity that opens the private keys of the state directory',
};
export const newIdentity: OptionEntry = {
  flags: '--new-identity <file>',
  description: 'make an age identity there and use it',
};
export const hazards: OptionEntry = {
  flags: '--accept-hazard <id...>',
  description: 'accept a known hazard of the etcd version by its ID',
};
export const remote = [inventory, hostKeys];
export const revoking: readonly OptionEntry[] = [
  ...remote,
  identity,
  hazards,
  {
    flags: '--reason <name>',
    description: 'key-compromise, superseded, cessation, affiliation-changed or privilege-withdrawn',
  },
  { flags: '--why <text>', description: 'for the record' },
  { flags: '--restart', description: 'restart every member in turn, so that open connections end too' },
  { flags: '--yes', description: 'do not ask' },
];
/** What `certs rotate` is to rotate; `plan certs rotate` shows it. */
export const rotation: readonly OptionEntry[] = [
  { flags: '--member <name...>', description: 'these members only (default: all)' },
  { flags: '--kind <kinds...>', description: 'server, peer, client (default: all)' },
  { flags: '--due', description: 'only what is due (pki.renewBefore) or not as the inventory wants it' },
  { flags: '--keep-keys', description: 'new certificates for the private keys in use' },
];

/** Who comes in the place of a member. */
export const successor: OptionEntry = {
  flags: '--with <controller>',
  description: 'the controller that takes its place (default: the same one, with a new disk or on a new machine)',
};
export const patience: OptionEntry = {
  flags: '--patience <time>',
  description: 'how long a learner may come no further before it is reported, and left as it is (default: 10m)',
};

/** How far and which way `certs rotate-ca` is to go; `plan certs rotate-ca` shows it. */
export const succession: readonly OptionEntry[] = [
  { flags: '--authority <name>', description: 'client, peer or all (default: all)' },
  {
    flags: '--until <stage>',
    description: 'the last stage: trust-both, leaves (default: all clients live on), trust-new, drop-cross',
  },
  { flags: '--cross-sign', description: 'leave trust-both out: one rolling restart instead of two' },
  { flags: '--renew', description: 'new dates for the same key and subject; certificates stay as they are' },
  { flags: '--abort', description: 'back to the old authorities, as long as they are trusted' },
  { flags: '--allow-downtime', description: 'restart members of a cluster of one or two' },
];

/** Between the version that runs and the one that is wanted. */
export const via: OptionEntry = {
  flags: '--via <version...>',
  description: 'releases to pass through, one a minor (default: the oldest that no hazard forbids)',
};

/** How a version is changed. */
export const versions: readonly OptionEntry[] = [
  via,
  { flags: '--allow-downtime', description: 'restart members of a cluster of one or two' },
];

/** What `apply` is to bring; `plan apply` shows it. */
export const converging: readonly OptionEntry[] = [
  { flags: '--remove <name...>', description: 'members to remove: those with state: absent in the inventory, by name' },
  { flags: '--only <parts...>', description: 'config, members, version, certs, units (default: all)' },
];

/** Whose turns `apply` and `restart` take, and what they may cost. */
export const turns: readonly OptionEntry[] = [
  { flags: '--member <name...>', description: 'these members only (default: all)' },
  { flags: '--allow-downtime', description: 'restart members of a cluster of one or two' },
];
