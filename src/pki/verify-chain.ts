/** Judging the way from a leaf to an authority that is trusted, directly or through certificates that stand behind it. Pure. */
import type { ParsedChain } from './chain.ts';
import type { ParsedCertificate } from './inspect.ts';
import { violations } from './name-constraints.ts';

export type DriftKind =
  /** Of another authority, or not signed by the one that it names. */
  | 'issuer'
  /** Sound, and of an authority that is trusted and signs no more. */
  | 'outgoing'
  /** The cross certificate that is wanted behind it does not stand there, or has ended. */
  | 'chain'
  /** Something stands behind it, and nothing should. */
  | 'chain-unwanted'
  | 'dates'
  | 'authority-expired'
  | 'subject'
  | 'key'
  | 'usage'
  | 'san-missing'
  | 'san-unwanted';

export interface DriftReason {
  readonly kind: DriftKind;
  /** A phrase without the host: `SAN 10.0.0.5 is missing`, `expired 2026-01-02`. */
  readonly text: string;
}

/** How a leaf is verified. */
export interface Verification {
  /** Why it is not sound at that time; empty where it is. */
  readonly reasons: readonly DriftReason[];
  /** The certificates that lead to a trusted one, that one last; where there is no way, empty. */
  readonly path: readonly ParsedCertificate[];
}

/**
 * The best way from a leaf to one of `trusted` at `now` (epoch milliseconds): names (octets), key identifiers, signatures, path lengths, name constraints and validities, as
 * RFC 5280, section 6 has them. Without anything trusted, dates alone are judged.
 */
export function verifyChain(
  { leaf, behind }: ParsedChain,
  trusted: readonly ParsedCertificate[],
  now: number,
): Verification {
  const ways = waysUp(leaf, behind, trusted).map((path) => ({ path, reasons: wayReasons(leaf, path, now) }));
  const best = ways.find((each) => each.reasons.length === 0) ?? ways[0];
  if (best !== undefined) return best;
  const [other] = trusted;
  const stray = other === undefined ? undefined : issuerReason(leaf, other);
  return { path: [], reasons: [...reasons('issuer', asList(stray)), ...reasons('dates', dateReasons(leaf, now))] };
}

/** Why `leaf` is not a good certificate of `ca` itself. */
export function issueReasons(leaf: ParsedCertificate, ca: ParsedCertificate, now: number): readonly DriftReason[] {
  return wayReasons(leaf, [ca], now);
}

export function reasons(kind: DriftKind, texts: readonly string[]): readonly DriftReason[] {
  return texts.map((text) => ({ kind, text }));
}

/** Every way by names, the shortest first; no certificate stands twice in one. */
function waysUp(
  from: ParsedCertificate,
  between: readonly ParsedCertificate[],
  trusted: readonly ParsedCertificate[],
): readonly (readonly ParsedCertificate[])[] {
  const names = (each: ParsedCertificate): boolean => each.facts.subjectDer === from.facts.issuerDer;
  const direct = trusted.filter(names).map((each) => [each]);
  const through = between.filter(names).flatMap((each) => {
    const others = between.filter((other) => other !== each);
    return waysUp(each, others, trusted).map((rest) => [each, ...rest]);
  });
  return [...direct, ...through];
}

function wayReasons(leaf: ParsedCertificate, path: readonly ParsedCertificate[], now: number): readonly DriftReason[] {
  const links = path.flatMap((issuer, index) => asList(issuerReason(path[index - 1] ?? leaf, issuer)));
  const anchor = path.slice(-1).flatMap((each) => dateReasons(each, now).map((text) => `its authority ${text}`));
  const between = path.slice(0, -1).flatMap((each) => dateReasons(each, now).map((text) => `behind it: ${text}`));
  return [
    ...reasons('issuer', [...links, ...depthReasons(path), ...nameReasons(leaf, path)]),
    ...reasons('dates', dateReasons(leaf, now)),
    ...reasons('chain', between),
    ...reasons('authority-expired', anchor),
  ];
}

function issuerReason(leaf: ParsedCertificate, ca: ParsedCertificate): string | undefined {
  const { facts } = leaf;
  const { subject, subjectDer, subjectKeyId, isCa, keyUsages } = ca.facts;
  if (!isCa) return `${subject} is no authority`;
  if (keyUsages.length > 0 && !keyUsages.includes('keyCertSign')) return `${subject} may not sign certificates`;
  if (facts.issuerDer === subjectDer && facts.authorityKeyId === '' && subjectKeyId !== '') {
    return `does not name the key of ${subject} (authorityKeyIdentifier)`;
  }
  const named = facts.issuerDer === subjectDer && facts.authorityKeyId === subjectKeyId;
  if (!named) return `issued by ${facts.issuer}, not by ${subject}`;
  return leaf.x509.verify(ca.x509.publicKey) ? undefined : `signature is not of ${subject}`;
}

/** A path length counts the authorities between it and the leaf, less those that name themselves as their issuer (RFC 5280, 4.2.1.9). */
function depthReasons(path: readonly ParsedCertificate[]): readonly string[] {
  return path.flatMap(({ facts: { pathLength, subject } }, index) => {
    const below = path.slice(0, index).filter(({ facts }) => facts.subjectDer !== facts.issuerDer).length;
    return pathLength === undefined || below <= pathLength ? [] : [`${subject} may not have an authority below it`];
  });
}

function nameReasons({ facts }: ParsedCertificate, path: readonly ParsedCertificate[]): readonly string[] {
  return path.flatMap(({ facts: { nameConstraints, subject } }) =>
    nameConstraints === undefined
      ? []
      : violations(nameConstraints, facts.sans).map((name) => `${subject} does not permit ${name}`),
  );
}

function dateReasons({ facts }: ParsedCertificate, now: number): readonly string[] {
  if (now > facts.notAfter) return [`expired ${new Date(facts.notAfter).toISOString().slice(0, 10)}`];
  if (now < facts.notBefore) return [`not valid before ${new Date(facts.notBefore).toISOString()}`];
  return [];
}

function asList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
