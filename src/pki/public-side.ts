/** The public side of a PKI store, read as far as it can be read: for reports, which must also work on a damaged store. Nothing is decrypted. */
import type { StoredAuthority, StoredClient, StoreEvidence } from '../domain/certificate-evidence.ts';
import { QuorateError } from '../domain/errors.ts';
import { parseChain } from './chain.ts';
import { type AuthorityEntry, type ClusterDocument, clusterKey, parseDocument } from './document.ts';
import { journalKey, readJournal } from './journal.ts';
import { lostSerials, requireRecorded, storedLists } from './revocation-lists.ts';
import { readRevocations, revokedKey } from './revoked.ts';
import { adminKeys, authorityId, readText } from './state.ts';
import type { PkiStore } from './store.ts';

/** Where a named client's certificate stands in the store. */
export function clientKey(name: string): string {
  return `clients/${name}.crt`;
}

/** Never refuses for what the store holds: what can't be read stands in `problems`. */
export async function readPublicSide(store: PkiStore): Promise<StoreEvidence> {
  const problems: string[] = [];
  const orProblem = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const document = await orProblem(() => findDocument(store));
  const keys = await store.list('');
  const authorities = (document?.authorities ?? []).map((entry) =>
    orProblem(() => readAuthority(store, entry, keys.includes(entry.key))),
  );
  if (document !== undefined) {
    await orProblem(async () => requireRecorded(store, await lostSerials(store, document.uuid)));
  }
  const names = keys.flatMap((key) => /^clients\/(.+)\.crt$/.exec(key)?.[1] ?? []).filter((name) => name !== 'admin');
  const clients = names.map((name) => orProblem(() => readClient(store, name)));
  return {
    location: store.location,
    uuid: document?.uuid,
    authorities: (await Promise.all(authorities)).filter((each) => each !== undefined),
    admin: (await orProblem(() => readAdmin(store))) || undefined,
    clients: (await Promise.all(clients)).filter((each) => each !== undefined),
    issued: document && (await orProblem(async () => readIssued(store, document.uuid))),
    revoked: document && (await orProblem(async () => readRevoked(store, document.uuid))),
    lists: (await orProblem(() => storedLists(store))) ?? [],
    problems: [...new Set(problems)],
  };
}

async function findDocument(store: PkiStore): Promise<ClusterDocument | undefined> {
  const stored = await store.read(clusterKey);
  return stored === undefined ? undefined : parseDocument(stored.bytes, store.location);
}

async function readAuthority(store: PkiStore, entry: AuthorityEntry, hasKey: boolean): Promise<StoredAuthority> {
  const { purpose, status, recipients, crossServed = false } = entry;
  const certificate = await requireCertificate(store, entry.certificate);
  const cross = entry.cross === undefined ? undefined : await requireCertificate(store, entry.cross);
  const key = hasKey ? entry.key : undefined;
  return { id: authorityId(entry), purpose, status, certificate, cross, crossServed, key, recipients };
}

async function readClient(store: PkiStore, name: string): Promise<StoredClient> {
  return { name, certificate: await requireCertificate(store, clientKey(name)) };
}

async function readAdmin(store: PkiStore): Promise<string | undefined> {
  const text = await readText(store, adminKeys.certificate);
  return text ? requireCertificate(store, adminKeys.certificate) : undefined;
}

async function readIssued(store: PkiStore, uuid: string) {
  return readJournal((await readText(store, journalKey)) ?? '', uuid);
}

async function readRevoked(store: PkiStore, uuid: string): Promise<readonly string[]> {
  return readRevocations((await readText(store, revokedKey)) ?? '', uuid).map((each) => each.serial);
}

async function requireCertificate(store: PkiStore, key: string): Promise<string> {
  const pem = await readText(store, key);
  if (pem === undefined) throw new QuorateError('refused', `${store.location}/${key}: is missing`);
  parseChain(pem, `${store.location}/${key}`);
  return pem;
}
