/** Signing leaves with the store's authorities and putting them into the journal: the one way that a leaf comes to be. */

import { QuorateError } from '../domain/errors.ts';
import { activeAuthority, type Use } from '../domain/pki-view.ts';
import { canonicalSans } from './addresses.ts';
import { openAuthority } from './authorities.ts';
import { type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { type IssuedLeaf, issueLeaf, type Signer } from './issue.ts';
import type { LeafProfile } from './profile.ts';
import { type PublicKey, spkiHash } from './public-key.ts';
import { authorityId } from './state.ts';

/** A leaf to be made. */
export interface LeafOrder {
  readonly profile: LeafProfile;
  readonly publicKey: PublicKey;
  /** For the journal. */
  readonly why: string;
}

/**
 * Signs all orders, each authority opened once, and records them in one swap before any is returned. Throws `refused` where an authority is missing,
 * can't be opened, or is outside its validity.
 */
export async function signAndRecord<T extends LeafOrder>(
  context: PkiContext,
  document: ClusterDocument,
  orders: readonly T[],
): Promise<readonly { readonly order: T; readonly leaf: IssuedLeaf }[]> {
  const signers = await openSigners(context, document, orders);
  const made = orders.map((order) => ({
    order,
    leaf: issueLeaf(signerFor(signers, order), leafRequest(context, order)),
  }));
  const records = made.map(({ order, leaf }) =>
    recordOf(context, leaf, {
      purpose: order.profile.purpose,
      authority: authorityId(entryFor(document, order)),
      commonName: order.profile.commonName,
      sans: canonicalSans(order.profile.sans),
      spkiSha256: spkiHash(order.publicKey.der),
      why: order.why,
    }),
  );
  await recordIssued(context, records);
  return made;
}

/** The authority that signs for clients and servers, or for peers. Throws `refused` where there is none. */
export function authorityEntry(document: ClusterDocument, use: Use): AuthorityEntry {
  const entry = activeAuthority(document, use);
  if (entry !== undefined) return entry;
  throw new QuorateError('refused', `cluster ${document.name} has no ${use} authority yet`, {
    hint: 'run quorate bootstrap',
  });
}

async function openSigners(
  context: PkiContext,
  document: ClusterDocument,
  orders: readonly LeafOrder[],
): Promise<ReadonlyMap<Use, Signer>> {
  const uses = [...new Set(orders.map(useOf))];
  return new Map(
    await Promise.all(
      uses.map(async (use) => [use, await openAuthority(context, authorityEntry(document, use))] as const),
    ),
  );
}

function signerFor(signers: ReadonlyMap<Use, Signer>, order: LeafOrder): Signer {
  const signer = signers.get(useOf(order));
  if (signer === undefined) throw new Error(`no signer was opened for ${useOf(order)}`);
  return signer;
}

function entryFor(document: ClusterDocument, order: LeafOrder): AuthorityEntry {
  return authorityEntry(document, useOf(order));
}

function useOf({ profile }: LeafOrder): Use {
  return profile.purpose === 'peer' ? 'peer' : 'client';
}

function leafRequest(context: PkiContext, { profile, publicKey }: LeafOrder) {
  return { profile, publicKey, policy: context.policy, serial: context.entropy.serial(), now: context.now() };
}
