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

/**
 * Why a certificate (PEM; undefined: absent) is not what is wanted at `now` (epoch milliseconds); empty when it is. Each reason is a phrase without
 * the host: `SAN 10.0.0.5 is missing`, `expired 2026-01-02`.
 */
export function certificateDrift(pem: string | undefined, wanted: WantedCertificate, now: number): readonly string[] {
  if (pem === undefined || pem.trim() === '') return ['there is no certificate'];
  const leaf = tryParse(pem);
  if (leaf === undefined) return ['the certificate cannot be read'];
  return [...issueReasons(leaf, issuerIn(wanted.authority, leaf), now), ...profileDrift(leaf.facts, wanted.profile)];
}

/**
 * Why `leaf` is not a good certificate of `authority` at `now`; empty when it is. Judges names (octets), key identifiers, signature and both validities.
 * Throws `refused` where one of the two PEM texts can't be read.
 */
export function verifyIssuedBy(leaf: string, authority: string, now: number): readonly string[] {
  return issueReasons(parseCertificate(leaf), parseCertificate(authority), now);
}

/** How a certificate's names, usages and key differ from a profile. */
function profileDrift(facts: CertificateFacts, profile: LeafProfile): readonly string[] {
  const usages = extendedKeyUsages(profile.purpose).filter((usage) => !facts.extendedKeyUsages.includes(usage));
  return [
    ...differs('common name', facts.commonName, profile.commonName),
    ...differs('organization', facts.organization, profile.organization),
    ...differs('key', facts.algorithm, profile.algorithm),
    ...usages.map((usage) => `extended key usage ${usage} is missing`),
    ...(facts.isCa ? ['it is an authority'] : []),
    ...sanDrift(facts.sans, canonicalSans(profile.sans)),
  ];
}

/** The authority of a bundle that a certificate names as its issuer; the first one where none is. */
function issuerIn(bundle: string, { facts }: ParsedCertificate): ParsedCertificate {
  const authorities = splitPem(bundle).map((pem) => parseCertificate(pem));
  const named = authorities.find((each) => each.facts.subjectDer === facts.issuerDer);
  return named ?? authorities[0] ?? parseCertificate(bundle, 'the trust bundle');
}

function issueReasons(leaf: ParsedCertificate, ca: ParsedCertificate, now: number): readonly string[] {
  const issuer = issuerReason(leaf, ca);
  const expired = ca.facts.notAfter <= now ? [`its authority expired ${day(ca.facts.notAfter)}`] : [];
  return [...(issuer === undefined ? [] : [issuer]), ...dateReasons(leaf.facts, now), ...expired];
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

function sanDrift(found: SubjectAltNames, wanted: SubjectAltNames): readonly string[] {
  const have = [...found.dns, ...found.ip];
  const want = [...wanted.dns, ...wanted.ip];
  return [
    ...want.filter((name) => !have.includes(name)).map((name) => `SAN ${name} is missing`),
    ...have.filter((name) => !want.includes(name)).map((name) => `SAN ${name} is not wanted`),
  ];
}

function day(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
