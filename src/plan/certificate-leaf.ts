/** Everything that is said of one leaf, wherever it stands. Pure. */
import type { ParsedChain } from '../pki/chain.ts';
import { chainDrift } from '../pki/drift.ts';
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
  const chain = judging.readChain(pem);
  if (chain === undefined) return [critical('unreadable', 'the certificate cannot be read')];
  const { facts } = chain.leaf;
  const drift = chainDrift(chain, { profile, ...trust }, judging.now);
  const ours = trust.known && !drift.some((each) => each.kind === 'issuer');
  const retired = retiredIssuer(chain, trust);
  const found = findingsOf(drift, vital).filter((each) => retired === undefined || each.code !== 'issuer');
  return [
    ...judgeDates(facts, judging),
    ...(retired === undefined ? [] : [critical('issuer', `issued by ${retired}, which is trusted no more`)]),
    ...found,
    ...judgeStrength(facts),
    ...(ours ? judgeIssued(facts, judging.issued) : []),
  ];
}

/** ID of the authority of ours that signed it and is retired. */
function retiredIssuer({ leaf }: ParsedChain, { retired }: Trust): string | undefined {
  return retired.find(({ parsed }) => parsed.facts.subjectDer === leaf.facts.issuerDer)?.id;
}
