/** Everything that is said of one leaf, wherever it stands. Pure. */
import { leafDrift } from '../pki/drift.ts';
import type { LeafProfile } from '../pki/profile.ts';
import {
  critical,
  type Finding,
  findingsOf,
  type Judging,
  judgeDates,
  judgeIssued,
  judgeStrength,
} from './certificate-row.ts';
import type { Trust } from './certificate-trust.ts';

/** What a leaf is judged by. */
export interface WantedLeaf {
  /** undefined: any client of etcd. */
  readonly profile: LeafProfile | undefined;
  readonly trust: Trust;
  /** Names without which others can't connect. */
  readonly vital: readonly string[];
}

/** Dates, issuer, names, strength, journal; empty for a PEM text that is as wanted. */
export function certificateFindings(
  pem: string | undefined,
  judging: Judging,
  { profile, trust, vital }: WantedLeaf,
): readonly Finding[] {
  if (pem === undefined || pem.trim() === '') return [critical('absent', 'there is no certificate')];
  const leaf = judging.read(pem);
  if (leaf === undefined) return [critical('unreadable', 'the certificate cannot be read')];
  const drift = leafDrift(leaf, { profile, authorities: trust.authorities }, judging.now);
  const ours = trust.known && !drift.some((each) => each.kind === 'issuer');
  return [
    ...judgeDates(leaf.facts, judging),
    ...findingsOf(drift, vital),
    ...judgeStrength(leaf.facts),
    ...(ours ? judgeIssued(leaf.facts, judging.issued) : []),
  ];
}
