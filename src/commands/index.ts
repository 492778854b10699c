/** The table of verbs: all that `--help` needs; each verb's file is loaded when it runs. */
import type { CommandEntry } from './command.ts';
import { certsVerbs } from './table-certs.ts';
import { clusterVerbs } from './table-cluster.ts';
import { convergeVerbs } from './table-converge.ts';
import { labVerbs } from './table-lab.ts';
import { memberVerbs } from './table-members.ts';
import { operateVerbs } from './table-operate.ts';

/** What the groups of verbs are about, by their words. */
export const groups: Readonly<Record<string, string>> = {
  certs: 'certificates: know what is on disk and what is served, issue for clients, export',
  'certs ca': 'the certificate authorities',
  'certs ca external': 'authorities whose key is elsewhere: requests, and what comes back',
  'certs client': 'certificates for clients of etcd',
  lab: 'throw-away hosts on this machine',
  member: 'members of the cluster: list, add, promote, replace, remove, move leadership',
};

/** All verbs, in the order of `--help`. */
export const commands: readonly CommandEntry[] = [
  ...clusterVerbs,
  ...convergeVerbs,
  ...operateVerbs,
  ...memberVerbs,
  ...certsVerbs,
  ...labVerbs,
];

/** Exit statuses, for `--help`. */
export const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'done, or nothing to do'],
  [1, 'a bug: please report it'],
  [2, 'changes pending, or degraded'],
  [3, 'critical: no quorum, or a certificate about to end'],
  [10, 'wrong usage'],
  [11, 'the inventory is wrong'],
  [12, 'a host cannot be reached or is not trusted'],
  [13, 'refused by a guard'],
  [14, 'a step failed; running again is safe'],
  [15, 'the saved plan is stale'],
  [16, 'locked by another run'],
  [130, 'interrupted'],
];
