/** What a member's keys and certificates in one folder lack, compared with what is wanted of them. Pure. */
import type { KeyAlgorithm } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { keyOwnership } from '../domain/generation.ts';
import { type AuthorityView, bundleOf, trustedAuthorities, type Use } from '../domain/pki-view.ts';
import { type LeafPurpose, type LeafWish, leafPurposes, type TrustWish } from '../domain/step.ts';
import { tryParseChain } from '../pki/chain.ts';
import { chainDrift } from '../pki/drift.ts';
import { tryParse } from '../pki/inspect.ts';
import { memberProfile } from '../pki/profile.ts';
import { readPublicKey, spkiHash } from '../pki/public-key.ts';
import { judgeDue } from './due.ts';
import type { View } from './view.ts';

/** A member on its host. */
export interface MemberView {
  readonly view: View;
  readonly controller: Controller;
  readonly host: HostFacts;
}

/** undefined where it is no controller, or its host was not observed. */
export function memberView(view: View, name: string): MemberView | undefined {
  const controller = view.cluster.controllers.find((each) => each.name === name);
  const host = view.facts.hosts[name];
  return controller === undefined || host === undefined ? undefined : { view, controller, host };
}

/** Why the private key in `directory` cannot be used as it is; undefined where it can. */
export function keyProblem(
  host: HostFacts,
  directory: string,
  wanted: { readonly purpose: LeafPurpose; readonly algorithm: KeyAlgorithm; readonly user: string },
): string | undefined {
  const { purpose, algorithm, user } = wanted;
  const key = host.files[`${directory}/${purpose}.key`];
  if (key?.kind !== 'file') return 'its private key is missing';
  const want = keyOwnership(purpose, user);
  if (Number.parseInt(key.mode, 8) !== Number.parseInt(want.mode, 8)) {
    return `its private key has the mode ${key.mode}, not ${want.mode}`;
  }
  if (key.owner !== want.owner || key.group !== want.group) {
    return `its private key belongs to ${key.owner}:${key.group}, not ${want.owner}:${want.group}`;
  }
  const text = host.texts[`${directory}/${purpose}.pub`];
  if (text === undefined) return 'its public key is missing';
  return publicKeyHash(text, algorithm) === undefined ? `its key is not of type ${algorithm}` : undefined;
}

/** Purposes whose private key or public key is not in `directory` yet. */
export function missingKeys(
  host: HostFacts,
  directory: string,
  purposes: readonly LeafPurpose[],
): readonly LeafPurpose[] {
  return purposes.filter(
    (purpose) =>
      host.files[`${directory}/${purpose}.key`]?.kind !== 'file' ||
      host.texts[`${directory}/${purpose}.pub`] === undefined,
  );
}

/** Why a certificate in `directory` is not the one that is wanted; undefined where it is. */
export function leafProblem(
  { view, controller, host }: MemberView,
  directory: string,
  wish: LeafWish,
): string | undefined {
  const { purpose } = wish;
  const text = host.certificates[`${directory}/${purpose}.crt`];
  if (text === undefined) return 'there is none yet';
  const chain = tryParseChain(text);
  if (chain === undefined) return 'the certificate cannot be read';
  const publicKey = host.texts[`${directory}/${purpose}.pub`];
  if (publicKey === undefined) return 'its key is made anew';
  const { pki } = view.cluster;
  if (publicKeyHash(publicKey, pki.algorithm) !== chain.leaf.facts.spkiSha256) {
    return 'its certificate does not match its key';
  }
  const authority = view.pki.authorities.find((each) => each.id === wish.authority);
  const issuer = authority && tryParse(authority.certificate);
  if (authority === undefined || issuer === undefined) return 'its authority is made anew';
  const trusted = trustedAuthorities(view.pki, purpose === 'peer' ? 'peer' : 'client');
  const wanted = {
    profile: memberProfile(purpose, controller, pki),
    issuer,
    trusted: trusted.flatMap((each) => tryParse(each.certificate) ?? []),
    cross: (wish.cross && authority.cross !== undefined ? tryParse(authority.cross) : undefined) ?? 'none',
  } as const;
  return chainDrift(chain, wanted, view.now)[0]?.text;
}

/** Whether a sound certificate is due to be renewed, in words either way; undefined where there is none to judge. */
export function leafLife(
  { view, host }: Pick<MemberView, 'view' | 'host'>,
  directory: string,
  wish: Pick<LeafWish, 'purpose' | 'authority'>,
): { readonly due: boolean; readonly text: string } | undefined {
  const leaf = tryParseChain(host.certificates[`${directory}/${wish.purpose}.crt`] ?? '')?.leaf;
  if (leaf === undefined) return undefined;
  const authority = view.pki.authorities.find((each) => each.id === wish.authority);
  const issuer = authority && tryParse(authority.certificate)?.facts;
  return judgeDue(leaf.facts, {
    authority: authority && issuer && { id: authority.id, notBefore: issuer.notBefore, notAfter: issuer.notAfter },
    policy: view.cluster.pki,
    now: view.now,
  });
}

/** The bundle of these authorities; undefined while the store does not know one of them. */
export function trustBundle(authorities: readonly AuthorityView[], ids: readonly string[]): string | undefined {
  const found = ids.map((id) => authorities.find((each) => each.id === id));
  const known = found.filter((each) => each !== undefined);
  return known.length === ids.length && known.length > 0 ? bundleOf(known) : undefined;
}

/** Why the trust bundles and revocation lists in `directory` are not those wanted; undefined where they are. */
export function trustProblem(
  { view, host }: Pick<MemberView, 'view' | 'host'>,
  directory: string,
  wanted: { readonly trust: TrustWish; readonly crls: readonly Use[] },
): string | undefined {
  const { authorities, crls } = view.pki;
  const files: readonly (readonly [string, Use])[] = [
    ['ca.crt', 'client'],
    ['peer-ca.crt', 'peer'],
  ];
  const bundle = files.find(([name, use]) => {
    const text = trustBundle(authorities, wanted.trust[use]);
    return text === undefined || host.certificates[`${directory}/${name}`] !== text;
  });
  if (bundle !== undefined) return `${bundle[0]} does not hold ${wanted.trust[bundle[1]].join(', ')} alone`;
  const list = wanted.crls.find((use) => {
    const file = host.files[`${directory}/${use}.crl`];
    return file?.kind !== 'file' || file.sha256 !== crls?.[use]?.sha256;
  });
  return list === undefined ? undefined : `${list}.crl is not the latest`;
}

/** Earliest end of the certificates in `directory`, epoch milliseconds; undefined while none is readable. */
export function earliestExpiry(host: HostFacts, directory: string): number | undefined {
  const ends = leafPurposes.flatMap((purpose) => {
    const chain = tryParseChain(host.certificates[`${directory}/${purpose}.crt`] ?? '');
    return chain === undefined ? [] : [chain.leaf.facts.notAfter];
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** undefined where it is no key of that type: hosts may show anything. */
function publicKeyHash(text: string, algorithm: KeyAlgorithm): string | undefined {
  try {
    return spkiHash(readPublicKey(text, algorithm).der);
  } catch (error) {
    if (error instanceof QuorateError) return undefined;
    throw error;
  }
}
