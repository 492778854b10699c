/** What the store and the inventory want of a member's keys and certificates, and how the generation in use differs from it. Pure. */
import { currentGeneration, trustWish } from '../domain/generation.ts';
import { pkiGeneration } from '../domain/layout.ts';
import { activeAuthority, type Use } from '../domain/pki-view.ts';
import { type KeyWish, type LeafPurpose, type LeafWish, leafPurposes, type TrustWish } from '../domain/step.ts';
import { keyProblem, leafLife, leafProblem, memberView, trustProblem } from './certificates.ts';
import type { View } from './view.ts';

/** What is wanted of a member's keys and certificates. */
export interface GenerationWish {
  readonly leaves: readonly LeafWish[];
  readonly trust: TrustWish;
  readonly crls: readonly Use[];
}

/** What the store wants of every member now; `key` says what becomes of each purpose's key. */
export function wishOf({ pki, cluster }: View, key: (purpose: LeafPurpose) => KeyWish): GenerationWish {
  const single = cluster.pki.authorities === 'single';
  // Before the store has any, bootstrap makes the first one of each purpose.
  const firstId = (use: Use): string => `${single ? 'both' : use}-1`;
  const leaves = leafPurposes.map((purpose): LeafWish => {
    const use = purpose === 'peer' ? 'peer' : 'client';
    const authority = activeAuthority(pki, use);
    return {
      purpose,
      authority: authority?.id ?? firstId(use),
      cross: authority?.cross !== undefined,
      key: key(purpose),
    };
  });
  const { client, peer } = trustWish(pki);
  const trust = {
    client: client.length === 0 ? [firstId('client')] : client,
    peer: peer.length === 0 ? [firstId('peer')] : peer,
  };
  const crls = (['client', 'peer'] as const).filter((use) => pki.crls?.[use] !== undefined);
  return { leaves, trust, crls };
}

/** What is wrong with the generation that a member uses. */
export interface GenerationFlaws {
  readonly leaves: Readonly<Partial<Record<LeafPurpose, string>>>;
  /** Of the trust bundles and revocation lists. */
  readonly trust: string | undefined;
}

/** How the generation in use differs from `wish`; a host without any, and one that was not observed, lack everything. */
export function flawsOf(view: View, host: string, wish: GenerationWish): GenerationFlaws {
  const member = memberView(view, host);
  const current = currentGeneration(view.cluster, member?.host);
  if (member === undefined || current === 0) {
    const none = 'there is none yet';
    return { leaves: { server: none, peer: none, client: none }, trust: none };
  }
  const directory = pkiGeneration(view.cluster, current);
  const { user, pki } = view.cluster;
  const leaves = wish.leaves.flatMap((leaf) => {
    const key = keyProblem(member.host, directory, { purpose: leaf.purpose, algorithm: pki.algorithm, user });
    const problem = key ?? leafProblem(member, directory, leaf);
    return problem === undefined ? [] : [[leaf.purpose, problem] as const];
  });
  return { leaves: Object.fromEntries(leaves), trust: trustProblem(member, directory, wish) };
}

export function hasFlaws({ leaves, trust }: GenerationFlaws): boolean {
  return trust !== undefined || leafPurposes.some((purpose) => leaves[purpose] !== undefined);
}

/** Whether each certificate in use is due, and in words when it is; of those that can be read. */
export function livesOf(
  view: View,
  host: string,
): Readonly<Partial<Record<LeafPurpose, { readonly due: boolean; readonly text: string }>>> {
  const member = memberView(view, host);
  if (member === undefined) return {};
  const directory = pkiGeneration(view.cluster, currentGeneration(view.cluster, member.host));
  const { leaves } = wishOf(view, () => 'make');
  return Object.fromEntries(
    leaves.flatMap((leaf) => {
      const life = leafLife(member, directory, leaf);
      return life === undefined ? [] : [[leaf.purpose, life] as const];
    }),
  );
}

/** Whether the private key in use can be kept. */
export function keyUsable(view: View, name: string, purpose: LeafPurpose): boolean {
  const { cluster, facts } = view;
  const host = facts.hosts[name];
  const current = currentGeneration(cluster, host);
  if (host === undefined || current === 0) return false;
  const { user, pki } = cluster;
  return keyProblem(host, pkiGeneration(cluster, current), { purpose, algorithm: pki.algorithm, user }) === undefined;
}
