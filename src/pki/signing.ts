/** Signing leaves with the store's authorities and putting them into the journal: the one way that a leaf comes to be. */

import { QuorateError } from '../domain/errors.ts';
import { activeAuthority, type Use } from '../domain/pki-view.ts';
import { canonicalSans } from './addresses.ts';
import { openAuthority } from './authorities.ts';
import { chainFile } from './chain.ts';
import { type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { installedLeaf } from './external.ts';
import { type IssuedLeaf, issueLeaf, type Signer } from './issue.ts';
import type { LeafProfile } from './profile.ts';
import { type PublicKey, spkiHash } from './public-key.ts';
import type { AuthoritySnapshot } from './snapshot.ts';
import { authorityId, loadAuthority } from './state.ts';
import { entryOf } from './transitions.ts';

/** A leaf to be made. */
export interface LeafOrder {
  readonly profile: LeafProfile;
  readonly publicKey: PublicKey;
  /** ID of the authority that was planned to sign it; undefined: the active one. */
  readonly authority?: string | undefined;
  /** What a client is called in the store. */
  readonly client?: string | undefined;
  /** For the journal. */
  readonly why: string;
}

export interface SignedLeaf<T> {
  readonly order: T;
  readonly leaf: IssuedLeaf;
  /** PEM of the leaf, and behind it the cross certificate while that is served: what goes into a file. */
  readonly chain: string;
}

/**
 * Signs all orders, each authority opened once, and records them in one swap before any is returned. Throws `refused` where an authority is missing, is
 * not (any more) the one that signs, can't be opened, or is outside its validity.
 */
export async function signAndRecord<T extends LeafOrder>(
  context: PkiContext,
  document: ClusterDocument,
  orders: readonly T[],
): Promise<readonly SignedLeaf<T>[]> {
  const signers = await openSigners(context, document, orders);
  const made = await Promise.all(
    orders.map(async (order) => {
      const { authority, signer } = signerFor(signers, order);
      const leaf =
        signer === undefined
          ? await outsideLeaf(context, { document, order, authority })
          : issueLeaf(signer, leafRequest(context, order));
      return { id: authority.id, own: signer !== undefined, order, leaf, chain: chainFile(leaf.pem, authority.cross) };
    }),
  );
  const records = made
    .filter((each) => each.own)
    .map(({ id, order, leaf }) =>
      recordOf(context, leaf, {
        purpose: order.profile.purpose,
        client: order.client,
        authority: id,
        commonName: order.profile.commonName,
        sans: canonicalSans(order.profile.sans),
        spkiSha256: spkiHash(order.publicKey.der),
        why: order.why,
      }),
    );
  if (records.length > 0) await recordIssued(context, records);
  return made.map(({ order, leaf, chain }) => ({ order, leaf, chain }));
}

/**
 * The authority that signs for clients and servers, or for peers; `id`: the one that was planned for. Throws `refused` where there is none, and where
 * another one signs by now.
 */
export function authorityEntry(document: ClusterDocument, use: Use, id?: string): AuthorityEntry {
  const active = activeAuthority(document, use);
  if (active === undefined) {
    throw new QuorateError('refused', `cluster ${document.name} has no ${use} authority yet`, {
      hint: 'run quorate bootstrap',
    });
  }
  if (id === undefined || id === authorityId(active)) return active;
  const { status } = entryOf(document, id);
  throw new QuorateError('refused', `cluster ${document.name}: ${id} is ${status}, and ${authorityId(active)} signs`, {
    hint: 'plan again',
  });
}

interface OpenSigner {
  readonly authority: AuthoritySnapshot;
  /** undefined where the store has no key: somebody else signs, and has done so already. */
  readonly signer: Signer | undefined;
}

async function openSigners(
  context: PkiContext,
  document: ClusterDocument,
  orders: readonly LeafOrder[],
): Promise<ReadonlyMap<Use, OpenSigner>> {
  for (const order of orders) authorityEntry(document, useOf(order), order.authority);
  const uses = [...new Set(orders.map(useOf))];
  return new Map(await Promise.all(uses.map(async (use) => [use, await openSigner(context, document, use)] as const)));
}

async function openSigner(context: PkiContext, document: ClusterDocument, use: Use): Promise<OpenSigner> {
  const entry = authorityEntry(document, use);
  const [authority, key] = await Promise.all([loadAuthority(context.store, entry), context.store.read(entry.key)]);
  return { authority, signer: key === undefined ? undefined : await openAuthority(context, entry) };
}

interface OutsideOrder {
  readonly document: ClusterDocument;
  readonly order: LeafOrder;
  readonly authority: AuthoritySnapshot;
}

/** The certificate that was installed for this key; throws as {@link openAuthority} does where there is none. */
async function outsideLeaf(context: PkiContext, { document, order, authority }: OutsideOrder): Promise<IssuedLeaf> {
  const what = `${order.profile.commonName}: ${order.profile.purpose} certificate`;
  const leaf = await installedLeaf(context, { ...order, what }, authority);
  if (leaf !== undefined) return leaf;
  await openAuthority(context, entryOf(document, authority.id));
  throw new QuorateError('refused', `${what}: there is none yet`);
}

function signerFor(signers: ReadonlyMap<Use, OpenSigner>, order: LeafOrder): OpenSigner {
  const signer = signers.get(useOf(order));
  if (signer === undefined) throw new Error(`no signer was opened for ${useOf(order)}`);
  return signer;
}

function useOf({ profile }: LeafOrder): Use {
  return profile.purpose === 'peer' ? 'peer' : 'client';
}

function leafRequest(context: PkiContext, { profile, publicKey }: LeafOrder) {
  return { profile, publicKey, policy: context.policy, serial: context.entropy.serial(), now: context.now() };
}
