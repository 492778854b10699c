/** The revocation lists in the store: one for each authority that has signed one, `crl/client-1.crl`, in DER. */
import { createHash } from 'node:crypto';
import type { StoredList } from '../domain/certificate-evidence.ts';
import { QuorateError } from '../domain/errors.ts';
import { type AuthorityView, listFor, type RevocationListView, type Use } from '../domain/pki-view.ts';
import { counted } from '../domain/plural.ts';
import { isRevocationList, type ReadRevocationList, readRevocationList } from './crl.ts';
import { type RevocationRecord, readRevocations, revokedKey, usesOf } from './revoked.ts';
import type { PkiStore } from './store.ts';

/** Where the list that an authority signs stands in the store. */
export function listKey(authority: string): string {
  return `crl/${authority}.crl`;
}

/** What each list in the store says. Throws `refused` where one is no list. */
export async function storedLists(store: PkiStore): Promise<readonly StoredList[]> {
  const lists = await readLists(store);
  return lists.map(({ authority, sha256, read: { thisUpdate, nextUpdate, revoked } }) => {
    return { authority, sha256, serials: revoked.length, thisUpdate, nextUpdate };
  });
}

/** Ports for which the store holds a list. */
export async function revokedUses(store: PkiStore): Promise<readonly Use[]> {
  const ids = (await store.list('crl/')).map(authorityOf);
  return (['client', 'peer'] as const).filter((use) => ids.some((id) => usesOf(id).includes(use)));
}

/** Whose lists, and who may sign them. */
interface ListOwner {
  readonly uuid: string;
  readonly authorities: readonly Pick<AuthorityView, 'id' | 'purpose' | 'status'>[];
}

/**
 * The list that each port must have; a use without one has never had anything revoked. Throws `refused` where one is no list (a file that etcd can't read
 * ends every new connection), and where the record of revocations was changed by something else or lacks what a list has.
 */
export async function loadLists(
  store: PkiStore,
  { uuid, authorities }: ListOwner,
): Promise<Readonly<Partial<Record<Use, RevocationListView>>>> {
  const found = await readLists(store);
  if (found.length === 0) return {};
  const records = readRevocations((await store.read(revokedKey))?.bytes.toString('utf8') ?? '', uuid);
  requireRecorded(store, lostOf(found, records));
  const lists = found.map(({ bytes, authority, sha256, read }) => {
    const { thisUpdate, nextUpdate } = read;
    const lacksUntil = (use: Use): number => latestLacking(read, records, use);
    return { der: bytes.toString('base64'), sha256, authority, thisUpdate, nextUpdate, lacksUntil };
  });
  const entries = (['client', 'peer'] as const).flatMap((use) => {
    const list = listFor(lists, authorities, use);
    return list === undefined ? [] : [[use, { ...list, lacksUntil: list.lacksUntil(use) }] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * Serials on lists of the store that the record of revocations lacks. Nothing is ever taken from the record, so it was cut or replaced by an older one: a
 * list made of it would make them good again. Throws `refused` where one is no list, unless those are `skipped`.
 */
export async function lostSerials(
  store: PkiStore,
  uuid: string,
  unreadable: 'refused' | 'skipped' = 'refused',
): Promise<readonly string[]> {
  // Lists before the record: who revokes notes it first, and makes the list then.
  const found = await readLists(store, unreadable);
  const records = readRevocations((await store.read(revokedKey))?.bytes.toString('utf8') ?? '', uuid);
  return lostOf(found, records);
}

/** Throws `refused` where anything is lost (see {@link lostSerials}). */
export function requireRecorded({ location }: PkiStore, lost: readonly string[]): void {
  if (lost.length === 0) return;
  const shown = lost.slice(0, SERIALS_SHOWN).join(', ') + (lost.length > SERIALS_SHOWN ? ', …' : '');
  const what = `lacks ${counted(lost.length, 'revocation')} that a list in crl/ has (${shown})`;
  throw new QuorateError('refused', `${location}/${revokedKey}: ${what}: the next list would make them good again`, {
    hint: 'restore it from your backup or git; where there is none, quorate certs revoke SERIAL -i FILE notes each anew',
  });
}

const SERIALS_SHOWN = 3;

function lostOf(lists: readonly Pick<FoundList, 'read'>[], records: readonly RevocationRecord[]): readonly string[] {
  const recorded = new Set(records.map(({ serial }) => serial));
  const listed = lists.flatMap(({ read }) => read.revoked.map(({ serial }) => serial));
  return [...new Set(listed)].filter((serial) => !recorded.has(serial));
}

function latestLacking({ revoked }: ReadRevocationList, records: readonly RevocationRecord[], use: Use): number {
  const serials = new Set(revoked.map((each) => each.serial));
  const lacking = records.filter(({ serial, authority }) => usesOf(authority).includes(use) && !serials.has(serial));
  return Math.max(0, ...lacking.map(({ notAfter }) => Date.parse(notAfter)));
}

interface FoundList {
  readonly authority: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly read: ReadRevocationList;
}

async function readLists(
  store: PkiStore,
  unreadable: 'refused' | 'skipped' = 'refused',
): Promise<readonly FoundList[]> {
  const keys = await store.list('crl/');
  const lists = await Promise.all(keys.map((key) => readList(store, key, unreadable)));
  return lists.filter((each) => each !== undefined);
}

async function readList(
  store: PkiStore,
  key: string,
  unreadable: 'refused' | 'skipped',
): Promise<FoundList | undefined> {
  const bytes = Buffer.from((await store.read(key))?.bytes ?? []);
  if (unreadable === 'skipped' && !isRevocationList(bytes)) return undefined;
  const read = readRevocationList(bytes, `${store.location}/${key}`);
  return { authority: authorityOf(key), bytes, sha256: createHash('sha256').update(bytes).digest('hex'), read };
}

function authorityOf(key: string): string {
  return key.slice('crl/'.length, -'.crl'.length);
}
