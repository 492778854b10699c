/** Judging certificates: against their issuer, and against what the policy wants. Reasons come back as words that a plan can print. Pure. */
import { X509Certificate } from 'node:crypto';
import type { PkiPolicy } from '../domain/cluster.ts';
import type { SubjectAltNames } from '../domain/controller.ts';
import type { LeafPurpose } from '../domain/step.ts';
import { canonicalSans } from './addresses.ts';
import { type CertificateFacts, readCertificate, splitPem, tryRead } from './inspect.ts';
import { adminProfile, extendedKeyUsages, type LeafProfile, memberProfile } from './profile.ts';

/** What a certificate should be. */
export interface WantedCertificate {
  readonly profile: LeafProfile;
  /** PEM of the authority that should have issued it; of a bundle, one of them. */
  readonly authority: string;
}

/** A member's certificate, and what it is compared with. */
export interface MemberCertificate {
  /** PEM; undefined: absent. */
  readonly certificate: string | undefined;
  /** PEM, one or more. */
  readonly authority: string;
  readonly purpose: LeafPurpose;
  readonly member: string;
  readonly sans: SubjectAltNames;
  readonly policy: Pick<PkiPolicy, 'organization' | 'algorithm'>;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** {@link certificateDrift} of a member's certificate. */
export function leafDrift(leaf: MemberCertificate): readonly string[] {
  const profile = memberProfile(leaf.purpose, { name: leaf.member, sans: leaf.sans }, leaf.policy);
  return certificateDrift(leaf.certificate, { profile, authority: leaf.authority }, leaf.now);
}

/** {@link certificateDrift} of the operator's own certificate. */
export function adminDrift(
  admin: Pick<MemberCertificate, 'certificate' | 'authority' | 'policy' | 'now'>,
): readonly string[] {
  const wanted = { profile: adminProfile(admin.policy), authority: admin.authority };
  return certificateDrift(admin.certificate, wanted, admin.now);
}

/**
 * Why a certificate (PEM; undefined: absent) is not what is wanted at `now` (epoch milliseconds); empty when it is. Each reason is a phrase without
 * the host: `SAN 10.0.0.5 is missing`, `expired 2026-01-02`.
 */
export function certificateDrift(pem: string | undefined, wanted: WantedCertificate, now: number): readonly string[] {
  if (pem === undefined || pem.trim() === '') return ['there is no certificate'];
  const facts = tryRead(pem);
  if (facts === undefined) return ['the certificate cannot be read'];
  return [...verifyIssuedBy(pem, issuerIn(wanted.authority, facts), now), ...profileDrift(facts, wanted.profile)];
}

/**
 * Why `leaf` is not a good certificate of `authority` at `now`; empty when it is. Judges names (octets), key identifiers, signature and both validities.
 * Throws `refused` where one of the two PEM texts can't be read.
 */
export function verifyIssuedBy(leaf: string, authority: string, now: number): readonly string[] {
  const facts = readCertificate(leaf);
  const ca = readCertificate(authority);
  const issuer = issuerReason(leaf, authority, { facts, ca });
  const expired = ca.notAfter <= now ? [`its authority expired ${day(ca.notAfter)}`] : [];
  return [...(issuer === undefined ? [] : [issuer]), ...dateReasons(facts, now), ...expired];
}

/** How a certificate's names, usages and key differ from a profile. */
export function profileDrift(facts: CertificateFacts, profile: LeafProfile): readonly string[] {
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
function issuerIn(bundle: string, { issuerDer }: CertificateFacts): string {
  const authorities = splitPem(bundle);
  return authorities.find((pem) => readCertificate(pem).subjectDer === issuerDer) ?? authorities[0] ?? '';
}

function issuerReason(
  leaf: string,
  authority: string,
  { facts, ca }: { readonly facts: CertificateFacts; readonly ca: CertificateFacts },
): string | undefined {
  if (!ca.isCa) return `${ca.subject} is no authority`;
  const named = facts.issuerDer === ca.subjectDer && facts.authorityKeyId === ca.subjectKeyId;
  if (!named) return `issued by ${facts.issuer}, not by ${ca.subject}`;
  const signed = new X509Certificate(leaf).verify(new X509Certificate(authority).publicKey);
  return signed ? undefined : `signature is not of ${ca.subject}`;
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
