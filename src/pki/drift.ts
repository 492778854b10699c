/** Judging certificates against what the policy wants. Reasons come back as words that a plan can print. Pure. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { canonicalSans } from './addresses.ts';
import { type ParsedChain, tryParseChain } from './chain.ts';
import { type CertificateFacts, type ParsedCertificate, parseCertificate, splitPem, tryParse } from './inspect.ts';
import { extendedKeyUsages, type LeafProfile } from './profile.ts';
import { type DriftReason, issueReasons, reasons, verifyChain } from './verify-chain.ts';

/** What a certificate should be. */
export interface WantedCertificate {
  readonly profile: LeafProfile;
  /** PEM of the authority that should have issued it. */
  readonly authority: string;
  /** PEM of the cross certificate that should stand behind it; undefined: nothing should. */
  readonly cross?: string | undefined;
  /** PEM of all authorities that are trusted; undefined: that one alone. */
  readonly trusted?: string | undefined;
}

/** {@link WantedCertificate}, read. */
export interface WantedChain {
  /** undefined: nothing is wanted but a good issuer and dates. */
  readonly profile: LeafProfile | undefined;
  /** The authority that should have issued it; undefined: any that is trusted. */
  readonly issuer: ParsedCertificate | undefined;
  /** Empty: nobody judges. */
  readonly trusted: readonly ParsedCertificate[];
  /** The cross certificate that should stand behind it, where it is of `issuer`; `any`: whatever does. */
  readonly cross: ParsedCertificate | 'none' | 'any';
}

/** Why a certificate file (PEM; undefined: absent) is not what is wanted at `now` (epoch milliseconds), as phrases; empty when it is. */
export function certificateDrift(pem: string | undefined, wanted: WantedCertificate, now: number): readonly string[] {
  if (pem === undefined || pem.trim() === '') return ['there is no certificate'];
  const chain = tryParseChain(pem);
  if (chain === undefined) return ['the certificate cannot be read'];
  const { profile, authority, cross, trusted } = wanted;
  const issuer = parseCertificate(authority, 'the authority');
  const others = splitPem(trusted ?? '').flatMap((each) => tryParse(each) ?? []);
  const behind = cross === undefined ? 'none' : parseCertificate(cross, 'the cross certificate');
  const chainWanted = { profile, issuer, trusted: [issuer, ...others], cross: behind } as const;
  return chainDrift(chain, chainWanted, now).map((each) => each.text);
}

/** Why a leaf, and what stands behind it, are not what is wanted. A leaf of another authority that is trusted is sound, and of the outgoing one. */
export function chainDrift(chain: ParsedChain, wanted: WantedChain, now: number): readonly DriftReason[] {
  const { profile, issuer, trusted } = wanted;
  const { reasons: found } = verifyChain(chain, trusted, now);
  const asIssued = issuer === undefined || isOf(chain.leaf, issuer);
  const strayed = found.some((each) => each.kind === 'issuer');
  return [
    ...found,
    ...reasons('outgoing', asIssued || strayed ? [] : [`issued by ${chain.leaf.facts.issuer}, which signs no more`]),
    ...(asIssued && !strayed ? behindReasons(chain, wanted.cross) : []),
    ...(profile === undefined ? [] : profileDrift(chain.leaf.facts, profile)),
  ];
}

/**
 * Why a leaf is not what is wanted, whatever stands behind it. No profile: nothing is wanted but a good issuer and dates. No authorities: nobody is judged
 * by. Of several, the one that it names as its issuer judges it.
 */
export function leafDrift(
  leaf: ParsedCertificate,
  wanted: { readonly profile: LeafProfile | undefined; readonly authorities: readonly ParsedCertificate[] },
  now: number,
): readonly DriftReason[] {
  const { profile, authorities } = wanted;
  return chainDrift({ leaf, behind: [] }, { profile, issuer: undefined, trusted: authorities, cross: 'any' }, now);
}

/**
 * Why `leaf` is not a good certificate of `authority` at `now`; empty when it is. Judges names (octets), key identifiers, signature and both validities.
 * Throws `refused` where one of the two PEM texts can't be read.
 */
export function verifyIssuedBy(leaf: string, authority: string, now: number): readonly string[] {
  return issueReasons(parseCertificate(leaf), parseCertificate(authority), now).map((each) => each.text);
}

/** By name and key identifier: a renewed authority's older certificates count. */
function isOf({ facts }: ParsedCertificate, issuer: ParsedCertificate): boolean {
  return facts.issuerDer === issuer.facts.subjectDer && facts.authorityKeyId === issuer.facts.subjectKeyId;
}

function behindReasons({ behind }: ParsedChain, wanted: WantedChain['cross']): readonly DriftReason[] {
  if (wanted === 'any') return [];
  const unwanted = behind.length === 0 ? [] : ['another certificate stands behind it'];
  if (wanted === 'none') return reasons('chain-unwanted', unwanted);
  if (behind.length === 0) return reasons('chain', ['the cross certificate does not stand behind it']);
  const same = behind.length === 1 && behind[0]?.facts.sha256 === wanted.facts.sha256;
  return reasons('chain', same ? [] : ['something else than the cross certificate stands behind it']);
}

/** How a certificate's names, usages and key differ from a profile. */
function profileDrift(facts: CertificateFacts, profile: LeafProfile): readonly DriftReason[] {
  const usages = extendedKeyUsages(profile.purpose).filter((usage) => !facts.extendedKeyUsages.includes(usage));
  const names = sanDrift(facts.sans, canonicalSans(profile.sans));
  const elsewhere = profile.elsewhere === true;
  return [
    ...reasons('subject', differs('common name', facts.commonName, profile.commonName)),
    ...reasons('subject', elsewhere ? [] : differs('organization', facts.organization, profile.organization)),
    ...reasons('key', elsewhere ? [] : differs('key', facts.algorithm, profile.algorithm)),
    ...reasons(
      'usage',
      usages.map((usage) => `extended key usage ${usage} is missing`),
    ),
    ...reasons('usage', facts.isCa ? ['it is an authority'] : []),
    ...names.filter((each) => !(elsewhere && each.kind === 'san-unwanted')),
  ];
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
