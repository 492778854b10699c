/** Revoking: the record first, then the list that follows from it, so that nothing is lost where two operators revoke at once. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Use } from '../domain/pki-view.ts';
import { isListDue } from '../domain/renewal.ts';
import { openAuthority } from './authorities.ts';
import { canaryName, makeCanary, soundCanary } from './canary.ts';
import type { PkiContext } from './context.ts';
import {
  LIST_LIMIT_SERIALS,
  type ReadRevocationList,
  type RevokedSerial,
  readRevocationList,
  signRevocationList,
} from './crl.ts';
import type { ClusterDocument } from './document.ts';
import type { Signer } from './issue.ts';
import { journalKey, readJournal } from './journal.ts';
import { listKey, lostSerials, requireRecorded } from './revocation-lists.ts';
import {
  appendRevocations,
  type Revocation,
  type RevocationRecord,
  readRevocations,
  revokedKey,
  revokedSerials,
  usesOf,
} from './revoked.ts';
import { authorityEntry } from './signing.ts';
import { authorityId, loadAuthority, readDocument, readText, requireUuid } from './state.ts';
import { StoreConflict, updateObject } from './store.ts';

/** A list as it stands in the store. */
export interface PublishedList {
  /** Which authority signed it: `client-1`. */
  readonly authority: string;
  readonly uses: readonly Use[];
  readonly list: ReadRevocationList;
}

const dayMs = 86_400_000;

/**
 * Notes the revocations and brings every list that exists, or must exist now, up to them. What was revoked before stays as it is. Throws `refused` where
 * an authority's key can't be opened; the revocations are noted then, and the next call goes on with them.
 */
export async function revoke(
  context: PkiContext,
  revocations: readonly Revocation[],
): Promise<readonly PublishedList[]> {
  await requireNoOther(context, revocations);
  await requireRoom(context, revocations);
  await note(context, revocations);
  return refreshLists(context);
}

/**
 * {@link revoke}, and besides on each of these lists a certificate of its own by which ports can be proved to read it: a new one where anything is revoked
 * that was not before, so that the port is seen to obey this very list. `sans`: for {@link makeCanary}.
 */
export async function revokeProvably(
  context: PkiContext,
  revocations: readonly Revocation[],
  sans: SubjectAltNames,
): Promise<readonly PublishedList[]> {
  const known = await readRecords(context);
  const fresh = revocations.filter(({ serial }) => !known.some((each) => each.serial === serial));
  await requireOwnLists(context, fresh);
  const uses = await ownUses(context, usesWith([...known, ...fresh]));
  await requireNoOther(context, fresh);
  await requireRoom(context, fresh);
  // Noted first: a revocation must not wait for its proof.
  await note(context, fresh);
  requireRecorded(context.store, await lostSerials(context.store, context.uuid));
  for (const use of uses) {
    const changed = fresh.some((each) => usesOf(each.authority).includes(use));
    const found = changed ? undefined : await soundCanary(context, use);
    if (found === undefined) await makeCanary(context, use, sans);
  }
  await note(context, await unrevokedCanaries(context));
  return refreshLists(context);
}

/**
 * Before anything is noted: a list counts only when the authority in force has signed it.
 * @throws QuorateError refused where that one signs elsewhere
 */
async function requireOwnLists(context: PkiContext, fresh: readonly Revocation[]): Promise<void> {
  const uses = usesWith(fresh);
  const own = await ownUses(context, uses);
  const [outside] = uses.filter((use) => !own.includes(use));
  if (outside === undefined) return;
  const id = authorityId(authorityEntry(await readDocument(context.store), outside));
  throw new QuorateError(
    'refused',
    `${id} signs elsewhere, so no revocation list of it can be made here: nothing was noted`,
    {
      hint: "take the user's rights in etcd (etcdctl user delete NAME); what must not be accepted at all ends with its authority: certificates of another one (quorate certs ca external install --until leaves), then quorate certs rotate-ca --until trust-new",
    },
  );
}

/** Those whose lists can be signed here. */
async function ownUses({ store }: PkiContext, uses: readonly Use[]): Promise<readonly Use[]> {
  const document = await readDocument(store);
  const judged = await Promise.all(
    uses.map(async (use) => ({ use, authority: await loadAuthority(store, authorityEntry(document, use)) })),
  );
  return judged.filter(({ authority }) => !authority.signsElsewhere).map(({ use }) => use);
}

/**
 * A record that has lost lines takes those alone, to be whole again: what is new would be lost with it once a backup is restored over it. A list that can't
 * be read says nothing of that, and a revocation is noted beside it: the next call goes on with it once the list is mended.
 */
async function requireNoOther({ store, uuid }: PkiContext, revocations: readonly Revocation[]): Promise<void> {
  const lost = await lostSerials(store, uuid, 'skipped');
  const mends = revocations.length > 0 && revocations.every(({ serial }) => lost.includes(serial));
  if (!mends) requireRecorded(store, lost);
}

/** Before anything is noted. Leaves room for the two that prove each list. */
async function requireRoom(context: PkiContext, fresh: readonly Revocation[]): Promise<void> {
  for (const use of usesWith(fresh)) {
    const held = (await wantedSerials(context, use)).map(({ serial }) => serial);
    const coming = fresh.filter(({ authority }) => usesOf(authority).includes(use)).map(({ serial }) => serial);
    if (new Set([...held, ...coming]).size <= LIST_LIMIT_SERIALS) continue;
    throw new QuorateError(
      'refused',
      `the ${use} list holds ${held.length} revocations, and at most ${LIST_LIMIT_SERIALS} fit`,
      {
        hint: 'a serial leaves the list when its certificate ends: shorter lifetimes keep it short; until then take the rights of the user in etcd',
      },
    );
  }
}

/** Throws `refused` where the record was changed by something else. */
async function readRecords({ store, uuid }: PkiContext): Promise<readonly RevocationRecord[]> {
  return readRevocations((await readText(store, revokedKey)) ?? '', uuid);
}

async function note(context: PkiContext, revocations: readonly Revocation[]): Promise<void> {
  const { store, uuid, who } = context;
  requireUuid(await readDocument(store), uuid, store);
  const when = new Date(context.now()).toISOString();
  const records = revocations.map(({ serial, authority, commonName, notAfter, reason, why }) => {
    return { serial, authority, commonName, notAfter, reason, who, why, when };
  });
  await updateObject(store, revokedKey, (bytes) => {
    const text = bytes?.toString('utf8') ?? '';
    const next = appendRevocations(text, uuid, records);
    return next === text ? undefined : next;
  });
}

/** Every certificate for proofs that the journal knows and that still lives, also what an interrupted run left: none of them may stay good. */
async function unrevokedCanaries(context: PkiContext): Promise<readonly Revocation[]> {
  const journal = readJournal((await readText(context.store, journalKey)) ?? '', context.uuid);
  const why = 'made to be refused';
  return journal
    .filter((each) => each.client === canaryName && Date.parse(each.notAfter) > context.now())
    .map(({ serial, authority, commonName, notAfter }) => ({
      serial,
      authority,
      commonName,
      notAfter,
      reason: 'unspecified',
      why,
    }));
}

function usesWith(records: readonly Pick<RevocationRecord, 'authority'>[]): readonly Use[] {
  return (['client', 'peer'] as const).filter((use) => records.some((each) => usesOf(each.authority).includes(use)));
}

/**
 * Signs each list of `wanted` uses anew that lacks a revocation, is not of the authority that signs now, or is near its end, and returns them. Opens no
 * key where all are good; makes none where nothing was ever revoked. Throws `refused` where the record lacks what a list has.
 */
export async function refreshLists(
  context: PkiContext,
  wanted: readonly Use[] = ['client', 'peer'],
): Promise<readonly PublishedList[]> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  requireRecorded(context.store, await lostSerials(context.store, context.uuid));
  const known = usesWith(await readRecords(context)).filter((use) => wanted.includes(use));
  const uses = await ownUses(context, known);
  const entries = new Map(uses.map((use) => [authorityId(authorityEntry(document, use)), use] as const));
  const lists: PublishedList[] = [];
  for (const [authority, use] of entries) {
    lists.push({ authority, uses: usesOf(authority), list: await refreshList(context, document, use) });
  }
  return lists;
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
    if (found !== undefined && holds(found, wanted) && !isListDue(found, context.now())) return found;
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

async function wantedSerials(context: PkiContext, use: Use): Promise<readonly RevokedSerial[]> {
  return revokedSerials(await readRecords(context), use, context.now());
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
