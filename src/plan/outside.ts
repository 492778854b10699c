/** Certificates that an authority elsewhere signs: which those are, and which of them wait to be put on their member. Pure. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { currentGeneration } from '../domain/generation.ts';
import { pkiGeneration, requestFolder } from '../domain/layout.ts';
import { type AuthorityView, activeAuthority, trustedAuthorities } from '../domain/pki-view.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';
import { chainFile, leafOf, tryParseChain } from '../pki/chain.ts';
import { chainDrift } from '../pki/drift.ts';
import { tryParse } from '../pki/inspect.ts';
import { type LeafProfile, memberProfile, signedElsewhere } from '../pki/profile.ts';
import { readPublicKey, spkiHash } from '../pki/public-key.ts';
import type { View } from './view.ts';

/** The way to certificates that quorate cannot sign. */
export const OUTSIDE_HINT =
  'quorate certs ca external request -i FILE --out DIR, have the requests signed, then quorate certs ca external install -i FILE --from DIR';

/** A certificate that was signed elsewhere and is not in use yet. */
export interface WaitingLeaf {
  /** Whether it is for a key that was made for its request, or for the one in use. */
  readonly key: 'requested' | 'keep';
  /** PEM of the leaf alone. */
  readonly pem: string;
}

/** Whether certificates for this purpose are signed elsewhere now: the store never had the key of the authority in force, or none is to be made. */
export function isOutside({ pki, cluster }: Pick<View, 'pki' | 'cluster'>, purpose: LeafPurpose): boolean {
  const authority = activeAuthority(pki, purpose === 'peer' ? 'peer' : 'client');
  return authority === undefined ? signedElsewhere(purpose, cluster.pki) : authority.signsElsewhere === true;
}

/** What waits for a member's key: that of a request first. undefined where nothing sound was taken in, or it is in use already. */
export function waitingLeaf(view: View, name: string, purpose: LeafPurpose): WaitingLeaf | undefined {
  const host = view.facts.hosts[name];
  const controller = view.cluster.controllers.find((each) => each.name === name);
  const known = view.pki.external ?? {};
  if (host === undefined || controller === undefined || Object.keys(known).length === 0) return undefined;
  if (!isOutside(view, purpose)) return undefined;
  const used = usedKey(view.cluster, host, purpose);
  const requested = publicKeyHash(view.cluster, host.texts[`${requestFolder(view.cluster)}/${purpose}.pub`]);
  const profile = memberProfile(purpose, controller, view.cluster.pki);
  const sound = (hash: string | undefined): string | undefined => {
    const pem = hash === undefined ? undefined : known[hash];
    return pem !== undefined && isSound(view, pem, profile) ? leafOf(pem) : undefined;
  };
  const fresh = requested === used.key ? undefined : sound(requested);
  if (fresh !== undefined) return { key: 'requested', pem: fresh };
  const again = sound(used.key);
  return again === undefined || sha256Of(again) === sha256Of(used.certificate)
    ? undefined
    : { key: 'keep', pem: again };
}

/** What waits for the operator's own key. */
export function waitingAdmin(view: View, profile: LeafProfile): string | undefined {
  const { pki } = view;
  const key = pki.adminKey ?? tryParseChain(pki.admin ?? '')?.leaf.facts.spkiSha256;
  const pem = key === undefined ? undefined : pki.external?.[key];
  if (pem === undefined || !isOutside(view, 'client') || !isSound(view, pem, profile)) return undefined;
  return sha256Of(pem) === sha256Of(pki.admin ?? '') ? undefined : pem;
}

/** Purposes whose certificate is to come from elsewhere and that a new generation could not even carry over: key or certificate is not there. */
export function lackingOutside(view: View, name: string): readonly LeafPurpose[] {
  const host = view.facts.hosts[name];
  if (host === undefined) return [];
  const directory = pkiGeneration(view.cluster, currentGeneration(view.cluster, host));
  return leafPurposes.filter((purpose) => {
    if (!isOutside(view, purpose) || waitingLeaf(view, name, purpose) !== undefined) return false;
    const there = host.files[`${directory}/${purpose}.key`]?.kind === 'file';
    return !there || host.certificates[`${directory}/${purpose}.crt`] === undefined;
  });
}

/** Purposes whose certificate in use has expired, and that only an authority elsewhere signs, while nothing sound waits to take its place. */
function endedOutside(view: View, name: string): readonly LeafPurpose[] {
  const host = view.facts.hosts[name];
  if (host === undefined) return [];
  return leafPurposes.filter((purpose) => {
    if (!isOutside(view, purpose) || waitingLeaf(view, name, purpose) !== undefined) return false;
    return hasEnded(usedKey(view.cluster, host, purpose).certificate, view.now);
  });
}

/** Whether every member shows clients a certificate that has expired: then nobody can be asked, whatever else is true. */
export function showsEnded({ cluster, facts, now }: View): boolean {
  return cluster.controllers.every(({ name }) => {
    const host = facts.hosts[name];
    return host !== undefined && hasEnded(usedKey(cluster, host, 'server').certificate, now);
  });
}

function hasEnded(pem: string, now: number): boolean {
  const end = tryParseChain(pem)?.leaf.facts.notAfter;
  return end !== undefined && end <= now;
}

/** Whether every key that was made for requests on this host is in use, `taken` counted among them: the folder has done its work then. */
export function requestsAreUsed(view: View, host: HostFacts, taken: readonly LeafPurpose[]): boolean {
  const folder = requestFolder(view.cluster);
  if (host.files[folder]?.kind !== 'directory') return false;
  const asked = leafPurposes.filter((each) => host.files[`${folder}/${each}.key`] !== undefined);
  const current = pkiGeneration(view.cluster, currentGeneration(view.cluster, host));
  const inUse = (purpose: LeafPurpose): boolean => {
    const own = host.texts[`${folder}/${purpose}.pub`];
    return own !== undefined && own === host.texts[`${current}/${purpose}.pub`];
  };
  return asked.length > 0 && asked.every((each) => taken.includes(each) || inUse(each));
}

/** @throws QuorateError refused, every member that lacks what only an authority elsewhere can sign */
export function refuseUnsigned(what: string, lacking: readonly string[]): void {
  if (lacking.length === 0) return;
  throw new QuorateError(
    'refused',
    `${what}: signed elsewhere (pki.external), and not there, or expired: ${lacking.join('; ')}`,
    {
      hint: OUTSIDE_HINT,
    },
  );
}

/** `etcd-1: server, client`, where a member lacks any. */
export function lackingWords(view: View, name: string): readonly string[] {
  return wordsOf(name, lackingOutside(view, name));
}

/** The same for a cluster that is down: what has expired is lacking too. */
export function uselessWords(view: View, name: string): readonly string[] {
  return wordsOf(name, [...new Set([...lackingOutside(view, name), ...endedOutside(view, name)])]);
}

function wordsOf(name: string, purposes: readonly LeafPurpose[]): readonly string[] {
  return purposes.length === 0 ? [] : [`${name}: ${purposes.join(', ')}`];
}

function isSound(view: View, pem: string, profile: LeafProfile): boolean {
  const use = profile.purpose === 'peer' ? 'peer' : 'client';
  const authority: AuthorityView | undefined = activeAuthority(view.pki, use);
  const issuer = authority && tryParse(authority.certificate);
  const chain = tryParseChain(chainFile(pem, authority?.cross));
  if (authority === undefined || issuer === undefined || chain === undefined) return false;
  const trusted = trustedAuthorities(view.pki, use).flatMap((each) => tryParse(each.certificate) ?? []);
  const cross = (authority.cross === undefined ? undefined : tryParse(authority.cross)) ?? 'none';
  return chainDrift(chain, { profile, issuer, trusted, cross }, view.now).length === 0;
}

function usedKey(cluster: Cluster, host: HostFacts, purpose: LeafPurpose) {
  const base = `${pkiGeneration(cluster, currentGeneration(cluster, host))}/${purpose}`;
  return {
    key: publicKeyHash(cluster, host.texts[`${base}.pub`]),
    certificate: host.certificates[`${base}.crt`] ?? '',
  };
}

function publicKeyHash({ pki }: Cluster, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return spkiHash(readPublicKey(text, pki.algorithm).der);
  } catch (error) {
    if (error instanceof QuorateError) return undefined;
    throw error;
  }
}

function sha256Of(pem: string): string | undefined {
  return tryParse(leafOf(pem))?.facts.sha256;
}
