/** Revoking: the record first, then the list that follows from it, so that nothing is lost where two operators revoke at once. */
import type { Use } from '../domain/pki-view.ts';
import { openAuthority } from './authorities.ts';
import type { PkiContext } from './context.ts';
import { type ReadRevocationList, type RevokedSerial, readRevocationList, signRevocationList } from './crl.ts';
import type { ClusterDocument } from './document.ts';
import type { Signer } from './issue.ts';
import { listKey } from './revocation-lists.ts';
import {
  appendRevocations,
  type NewRevocation,
  readRevocations,
  revokedKey,
  revokedSerials,
  usesOf,
} from './revoked.ts';
import { authorityEntry } from './signing.ts';
import { authorityId, readDocument, readText, requireUuid } from './state.ts';
import { StoreConflict, updateObject } from './store.ts';

/** A certificate that is to be revoked. */
export type Revocation = Pick<NewRevocation, 'serial' | 'authority' | 'commonName' | 'notAfter' | 'reason' | 'why'>;

/** A list as it stands in the store. */
export interface PublishedList {
  /** Which authority signed it: `client-1`. */
  readonly authority: string;
  readonly uses: readonly Use[];
  readonly list: ReadRevocationList;
}

/** Share of a list's life that is left when it is renewed. */
const RENEW_SHARE = 1 / 3;
const dayMs = 86_400_000;

/**
 * Notes the revocations and brings every list that exists, or must exist now, up to them. What was revoked before stays as it is. Throws `refused` where
 * an authority's key can't be opened; the revocations are noted then, and the next call goes on with them.
 */
export async function revoke(
  context: PkiContext,
  revocations: readonly Revocation[],
): Promise<readonly PublishedList[]> {
  const { store, uuid, who } = context;
  requireUuid(await readDocument(store), uuid, store);
  const when = new Date(context.now()).toISOString();
  await updateObject(store, revokedKey, (bytes) => {
    const text = bytes?.toString('utf8') ?? '';
    const next = appendRevocations(
      text,
      uuid,
      revocations.map((each) => ({ ...each, who, when })),
    );
    return next === text ? undefined : next;
  });
  return refreshLists(context);
}

/**
 * Signs each list anew that lacks a revocation, is not of the authority that signs now, or is near its end, and returns all. Opens no key where all are
 * good; makes none where nothing was ever revoked.
 */
export async function refreshLists(context: PkiContext): Promise<readonly PublishedList[]> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  const records = readRevocations((await readText(context.store, revokedKey)) ?? '', context.uuid);
  const uses = (['client', 'peer'] as const).filter((use) =>
    records.some((each) => usesOf(each.authority).includes(use)),
  );
  const entries = new Map(uses.map((use) => [authorityId(authorityEntry(document, use)), use] as const));
  const lists: PublishedList[] = [];
  for (const [authority, use] of entries) {
    lists.push({ authority, uses: usesOf(authority), list: await refreshList(context, document, use) });
  }
  return lists;
}

/** Whether a list lives for less than a third of its life yet. */
export function isNearEnd(
  { thisUpdate, nextUpdate }: Pick<ReadRevocationList, 'thisUpdate' | 'nextUpdate'>,
  now: number,
): boolean {
  return nextUpdate - now < (nextUpdate - thisUpdate) * RENEW_SHARE;
}

async function refreshList(context: PkiContext, document: ClusterDocument, use: Use): Promise<ReadRevocationList> {
  const { store } = context;
  const entry = authorityEntry(document, use);
  const key = listKey(authorityId(entry));
  let signer: Signer | undefined;
  for (;;) {
    // The list is read before the record: what is added to the record meanwhile changes the list too, and this swap fails.
    const stored = await store.read(key);
    const found = stored === undefined ? undefined : readRevocationList(stored.bytes, `${store.location}/${key}`);
    const wanted = await wantedSerials(context, use);
    if (found !== undefined && holds(found, wanted) && !isNearEnd(found, context.now())) return found;
    signer ??= await openAuthority(context, entry);
    const der = signRevocationList(signer, nextList(context, { signer, previous: found, wanted }));
    try {
      await store.swap(key, stored?.version ?? null, der);
      return readRevocationList(der);
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
    }
  }
}

async function wantedSerials({ store, uuid, now }: PkiContext, use: Use): Promise<readonly RevokedSerial[]> {
  const text = (await readText(store, revokedKey)) ?? '';
  return revokedSerials(readRevocations(text, uuid), use, now());
}

/** Whether a list has every serial that it must; one that has ended since may stay until the list is made anew. */
function holds(list: ReadRevocationList, wanted: readonly RevokedSerial[]): boolean {
  const serials = new Set(list.revoked.map((each) => each.serial));
  return wanted.every((each) => serials.has(each.serial));
}

interface Successor {
  readonly signer: Signer;
  readonly previous: ReadRevocationList | undefined;
  readonly wanted: readonly RevokedSerial[];
}

/** A list lives as long as a leaf of the policy, but never past its authority: no certificate on it lives longer. */
function nextList(context: PkiContext, { signer, previous, wanted }: Successor) {
  const now = context.now();
  const lifetimeMs = context.policy.leafLifetimeDays * dayMs;
  return {
    number: (previous?.number ?? 0) + 1,
    thisUpdate: Math.max(now - context.policy.backdateMinutes * 60_000, signer.facts.notBefore),
    nextUpdate: Math.min(now + lifetimeMs, signer.facts.notAfter),
    revoked: wanted,
  };
}
