/** Words for what steps carry: keys, certificates, goals. */
import type { Goal } from '../domain/goal.ts';
import type { AcceptedCertificate, LeafWish, Step } from '../domain/step.ts';

/** `3.6` of `3.6.16`. */
export function minorText(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** What is looked at before a hop to the version `to`. */
export function checksBefore(to: string): string {
  const last = minorText(to) === '3.6' ? ', no v2 content' : '';
  return `versions, no learner, no alarm, equal data${last}`;
}

/** `server, peer certificates of etcd-1 (generation 2)`, `etcd 3.7.3 on every member` */
export function goalText(goal: Goal): string {
  if (goal.kind === 'version') return `etcd ${goal.to} on every member`;
  if (goal.kind === 'replace') return `${goal.with} in the place of ${goal.member} (${goal.id})`;
  if (goal.kind === 'restart') return `${Object.keys(goal.ends).join(', ')} restarted`;
  const { targets, purposes, keys } = goal;
  const members = Object.entries(targets).map(([member, number]) => `${member} (generation ${number})`);
  return `${purposes.join(', ')} certificates of ${members.join(', ')}${keys === 'keep' ? ' for the same keys' : ''}`;
}

/** `, with the keys of server and their certificates as they are`; '' where every key is made. */
export function keptKeys({ leaves, from }: Step<'generation.prepare'>): string {
  const those = (key: LeafWish['key']): string =>
    leaves
      .filter((each) => each.key === key)
      .map((each) => each.purpose)
      .join(', ');
  const kept = those('keep') === '' ? [] : [`the keys (${those('keep')})`];
  const asked = those('requested') === '' ? [] : [`the keys that were requested for (${those('requested')})`];
  const carried = those('carry') === '' ? [] : [`keys and certificates (${those('carry')})`];
  const old = [...kept, ...carried];
  const all = [...asked, ...(old.length === 0 ? [] : [`${old.join(' and ')} of ${from}`])];
  return all.length === 0 ? '' : `, with ${all.join(' and ')}`;
}

/** `etcd-1 (server, client), operator (client)` */
export function heldBy(certificates: readonly AcceptedCertificate[]): string {
  const holders = [...new Set(certificates.map((each) => each.holder))];
  const own = (holder: string): string =>
    certificates
      .filter((each) => each.holder === holder)
      .map((each) => each.purpose)
      .join(', ');
  return holders.map((holder) => `${holder} (${own(holder)})`).join(', ');
}

/** `server, client (client-1), peer (peer-1)` */
export function signers(leaves: readonly LeafWish[]): string {
  const authorities = [...new Set(leaves.map((each) => each.authority))];
  return authorities
    .map((authority) => {
      const own = leaves.filter((each) => each.authority === authority);
      return `${own.map((each) => each.purpose).join(', ')} (${authority}${own.some((each) => each.cross) ? ' with its cross certificate' : ''})`;
    })
    .join(', ');
}
