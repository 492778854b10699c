/** Judging certificates: against their issuer, and against what the policy wants. Reasons come back as words that a plan can print. Pure. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { canonicalSans } from './addresses.ts';
import { type CertificateFacts, type ParsedCertificate, parseCertificate, splitPem, tryParse } from './inspect.ts';
import { extendedKeyUsages, type LeafProfile } from './profile.ts';

/** What a certificate should be. */
export interface WantedCertificate {
  readonly profile: LeafProfile;
  /** PEM of the authority that should have issued it; of a bundle, one of them. */
  readonly authority: string;
}

export type DriftKind =
  /** Of another authority, or not signed by the one that it names. */
  'issuer' | 'dates' | 'authority-expired' | 'subject' | 'key' | 'usage' | 'san-missing' | 'san-unwanted';

export interface DriftReason {
  readonly kind: DriftKind;
  /** A phrase without the host: `SAN 10.0.0.5 is missing`, `expired 2026-01-02`. */
  readonly text: string;
}

/** Why a certificate (PEM; undefined: absent) is not what is wanted at `now` (epoch milliseconds), as phrases; empty when it is. */
export function certificateDrift(pem: string | undefined, wanted: WantedCertificate, now: number): readonly string[] {
  if (pem === undefined || pem.trim() === '') return ['there is no certificate'];
  const leaf = tryParse(pem);
  if (leaf === undefined) return ['the certificate cannot be read'];
  const authorities = splitPem(wanted.authority).map((each) => parseCertificate(each));
  if (authorities.length === 0) parseCertificate(wanted.authority, 'the trust bundle');
  return leafDrift(leaf, { profile: wanted.profile, authorities }, now).map((each) => each.text);
}

/**
 * Why a certificate is not what is wanted. No profile: nothing is wanted but a good issuer and dates. No authorities: nobody is judged by. Of several,
 * the one that it names as its issuer judges it.
 */
export function leafDrift(
  leaf: ParsedCertificate,
  wanted: { readonly profile: LeafProfile | undefined; readonly authorities: readonly ParsedCertificate[] },
  now: number,
): readonly DriftReason[] {
  const { authorities, profile } = wanted;
  const issuer = authorities.find((each) => each.facts.subjectDer === leaf.facts.issuerDer) ?? authorities[0];
  return [
    ...(issuer === undefined ? reasons('dates', dateReasons(leaf.facts, now)) : issueReasons(leaf, issuer, now)),
    ...(profile === undefined ? [] : profileDrift(leaf.facts, profile)),
  ];
}

/**
 * Why `leaf` is not a good certificate of `authority` at `now`; empty when it is. Judges names (octets), key identifiers, signature and both validities.
 * Throws `refused` where one of the two PEM texts can't be read.
 */
export function verifyIssuedBy(leaf: string, authority: string, now: number): readonly string[] {
  return issueReasons(parseCertificate(leaf), parseCertificate(authority), now).map((each) => each.text);
}

/** How a certificate's names, usages and key differ from a profile. */
function profileDrift(facts: CertificateFacts, profile: LeafProfile): readonly DriftReason[] {
  const usages = extendedKeyUsages(profile.purpose).filter((usage) => !facts.extendedKeyUsages.includes(usage));
  return [
    ...reasons('subject', differs('common name', facts.commonName, profile.commonName)),
    ...reasons('subject', differs('organization', facts.organization, profile.organization)),
    ...reasons('key', differs('key', facts.algorithm, profile.algorithm)),
    ...reasons(
      'usage',
      usages.map((usage) => `extended key usage ${usage} is missing`),
    ),
    ...reasons('usage', facts.isCa ? ['it is an authority'] : []),
    ...sanDrift(facts.sans, canonicalSans(profile.sans)),
  ];
}

function reasons(kind: DriftKind, texts: readonly string[]): readonly DriftReason[] {
  return texts.map((text) => ({ kind, text }));
}

function issueReasons(leaf: ParsedCertificate, ca: ParsedCertificate, now: number): readonly DriftReason[] {
  const issuer = issuerReason(leaf, ca);
  const expired = ca.facts.notAfter <= now ? [`its authority expired ${day(ca.facts.notAfter)}`] : [];
  return [
    ...reasons('issuer', issuer === undefined ? [] : [issuer]),
    ...reasons('dates', dateReasons(leaf.facts, now)),
    ...reasons('authority-expired', expired),
  ];
}

function issuerReason(leaf: ParsedCertificate, ca: ParsedCertificate): string | undefined {
  const { facts } = leaf;
  const { subject, subjectDer, subjectKeyId, isCa } = ca.facts;
  if (!isCa) return `${subject} is no authority`;
  const named = facts.issuerDer === subjectDer && facts.authorityKeyId === subjectKeyId;
  if (!named) return `issued by ${facts.issuer}, not by ${subject}`;
  return leaf.x509.verify(ca.x509.publicKey) ? undefined : `signature is not of ${subject}`;
}

function dateReasons(facts: CertificateFacts, now: number): readonly string[] {
  if (now > facts.notAfter) return [`expired ${day(facts.notAfter)}`];
  if (now < facts.notBefore) return [`not valid before ${new Date(facts.notBefore).toISOString()}`];
  return [];
}

function differs(what: string, found: string, wanted: string): readonly string[] {
  return found === wanted ? [] : [`${what} is ${found || 'absent'}, not ${wanted || 'absent'}`];
}

function sanDrift(found: SubjectAltNames, wanted: SubjectAltNames): readonly DriftReason[] {
  const have = [...found.dns, ...found.ip];
  const want = [...wanted.dns, ...wanted.ip];
  return [
    ...reasons(
      'san-missing',
      want.filter((name) => !have.includes(name)).map((name) => `SAN ${name} is missing`),
    ),
    ...reasons(
      'san-unwanted',
      have.filter((name) => !want.includes(name)).map((name) => `SAN ${name} is not wanted`),
    ),
  ];
}

function day(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
