/** The PKI store's root and public side: making a cluster's identity, reading everything that planners need, changing the root safely. */
import { createPublicKey } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import { tryParseChain } from './chain.ts';
import { type AuthorityEntry, type ClusterDocument, clusterKey, parseDocument, printDocument } from './document.ts';
import { readCertificate } from './inspect.ts';
import { spkiHash } from './public-key.ts';
import { loadLists } from './revocation-lists.ts';
import { readRevocations, revokedKey } from './revoked.ts';
import type { AuthoritySnapshot, PkiSnapshot } from './snapshot.ts';
import { createObject, type PkiStore, updateObject } from './store.ts';

/** Where the operator's own certificate and key stand in the store. */
export const adminKeys = {
  certificate: 'clients/admin.crt',
  key: 'clients/admin.key.age',
  /** SPKI, PEM: written once a certificate is requested elsewhere. */
  publicKey: 'clients/admin.pub',
} as const;

/** Where certificates stand that were signed elsewhere: each by the sha256 of the public key that it is for. */
export const externalFolder = 'external/';

/** Reads the store's public side; nothing is decrypted, and nothing written. Throws `refused` for what can't be read. */
export async function loadPki(store: PkiStore): Promise<PkiSnapshot> {
  const [document, adminText, adminPublic, external] = await Promise.all([
    findDocument(store),
    readText(store, adminKeys.certificate),
    readText(store, adminKeys.publicKey),
    loadExternal(store),
  ]);
  const admin = adminText || undefined;
  const entries = document?.authorities ?? [];
  const authorities = await Promise.all(entries.map((entry) => loadAuthority(store, entry)));
  const crls = document && (await loadLists(store, { uuid: document.uuid, authorities }));
  return {
    location: store.location,
    identity: document && { ...pick(document), formedAt: document.formed },
    authorities,
    ...(crls === undefined ? {} : { crls }),
    revoked: document === undefined ? [] : await loadRevoked(store, document.uuid),
    external,
    adminPublicKey: adminPublic,
    adminKey: adminPublic === undefined ? undefined : keyHash(adminPublic, store),
    admin,
    adminFacts: admin === undefined ? undefined : tryParseChain(admin)?.leaf.facts,
    generation: document?.generation ?? 1,
    goals: document?.goals ?? [],
  };
}

async function loadRevoked(store: PkiStore, uuid: string): Promise<readonly string[]> {
  return readRevocations((await readText(store, revokedKey)) ?? '', uuid).map(({ serial }) => serial);
}

function keyHash(pem: string, { location }: PkiStore): string {
  try {
    return spkiHash(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
  } catch (cause) {
    throw new QuorateError('refused', `${location}/${adminKeys.publicKey}: is no public key`, {
      cause,
      hint: 'remove it, then run quorate certs ca external request again: it is written anew',
    });
  }
}

async function loadExternal(store: PkiStore): Promise<Readonly<Record<string, string>>> {
  const keys = (await store.list(externalFolder)).filter((each) => each.endsWith('.crt'));
  const texts = await Promise.all(keys.map((key) => readText(store, key)));
  return Object.fromEntries(
    keys.map((key, index) => [key.slice(externalFolder.length, -'.crt'.length), texts[index] ?? '']),
  );
}

/** Who a cluster is. */
export interface ClusterIdentity {
  readonly uuid: string;
  readonly name: string;
  /** etcd's initial-cluster-token. */
  readonly token: string;
}

/**
 * Makes the root, unless there is one: then the identity that it has is returned, so that an interrupted run goes on with its own. Throws `refused`
 * where the store belongs to a cluster of another name.
 */
export async function createCluster(store: PkiStore, wanted: ClusterIdentity, now: number): Promise<ClusterIdentity> {
  const created = new Date(now).toISOString();
  const fresh: ClusterDocument = { schema: 1, ...pick(wanted), created, authorities: [], generation: 1, goals: [] };
  await createObject(store, clusterKey, printDocument(fresh));
  const document = await readDocument(store);
  if (document.name === wanted.name) return pick(document);
  throw new QuorateError('refused', `${store.location}: belongs to cluster ${document.name}, not ${wanted.name}`, {
    hint: 'give this inventory another state directory, or the name that its state directory has',
  });
}

/** Puts another token in place of the old one, as a restore has to. */
export async function recordToken(store: PkiStore, uuid: string, token: string): Promise<void> {
  await updateDocument(store, uuid, (document) => ({ ...document, token }));
}

/** Notes that the cluster has been formed; the first such note stays. */
export async function noteFormed(store: PkiStore, uuid: string, formedAt: string): Promise<void> {
  await updateDocument(store, uuid, (document) =>
    document.formed === undefined ? { ...document, formed: formedAt } : document,
  );
}

/** Takes the note away that the cluster has been formed. */
export async function forgetFormed(store: PkiStore, uuid: string): Promise<void> {
  await updateDocument(store, uuid, (document) => {
    if (document.formed === undefined) return document;
    const { formed: _given, ...rest } = document;
    return rest;
  });
}

/** The root; throws `refused` where there is none. */
export async function readDocument(store: PkiStore): Promise<ClusterDocument> {
  const document = await findDocument(store);
  if (document !== undefined) return document;
  throw new QuorateError('refused', `${store.location}: holds no cluster yet`, { hint: 'run quorate bootstrap' });
}

/**
 * Swaps in what `change` makes of the root, again where somebody else was quicker; the same object means nothing to write. Throws `refused` where the
 * root is not of the cluster `uuid`: the directory was replaced meanwhile.
 */
export async function updateDocument(
  store: PkiStore,
  uuid: string,
  change: (document: ClusterDocument) => ClusterDocument,
): Promise<void> {
  await updateObject(store, clusterKey, (bytes) => {
    const document = parseDocument(bytes ?? Buffer.alloc(0), store.location);
    requireUuid(document, uuid, store);
    const changed = change(document);
    return changed === document ? undefined : printDocument(changed);
  });
}

/** Throws `refused` where the store is another cluster's than the one that was planned for. */
export function requireUuid(document: ClusterDocument, uuid: string, store: PkiStore): void {
  if (document.uuid === uuid) return;
  throw new QuorateError('refused', `${store.location}: is now of cluster ${document.uuid}, planned was for ${uuid}`, {
    hint: 'plan again',
  });
}

/** An object as text; undefined where it is absent. */
export async function readText(store: PkiStore, key: string): Promise<string | undefined> {
  return (await store.read(key))?.bytes.toString('utf8');
}

/** `client-1` */
export function authorityId(entry: Pick<AuthorityEntry, 'purpose' | 'number'>): string {
  return `${entry.purpose}-${entry.number}`;
}

/** One authority's public side. Throws `refused` where its certificate, or its cross certificate, is missing. */
export async function loadAuthority(store: PkiStore, entry: AuthorityEntry): Promise<AuthoritySnapshot> {
  const [certificate, crossMade, keys] = await Promise.all([
    requireText(store, entry.certificate),
    entry.cross === undefined ? undefined : requireText(store, entry.cross),
    store.list(entry.key),
  ]);
  const { purpose, number, recipients, status } = entry;
  const cross = entry.crossServed === true ? crossMade : undefined;
  const facts = readCertificate(certificate, `${store.location}/${entry.certificate}`);
  const hasKey = keys.includes(entry.key);
  const id = authorityId(entry);
  const signsElsewhere = !hasKey && recipients.length === 0;
  return { id, purpose, status, number, certificate, cross, crossMade, facts, recipients, hasKey, signsElsewhere };
}

/** IDs of intermediates from elsewhere: what stands behind their leaves is themselves, and stays. */
export async function standingChains(store: PkiStore, { authorities }: ClusterDocument): Promise<readonly string[]> {
  const served = authorities.filter((each) => each.crossServed === true && each.status !== 'retired');
  const loaded = await Promise.all(served.map((each) => loadAuthority(store, each)));
  return loaded.filter((each) => each.crossMade?.trim() === each.certificate.trim()).map((each) => each.id);
}

async function requireText(store: PkiStore, key: string): Promise<string> {
  const text = await readText(store, key);
  if (text !== undefined) return text;
  throw new QuorateError('refused', `${store.location}/${key}: is missing`, {
    hint: 'restore it from your backup or git',
  });
}

async function findDocument(store: PkiStore): Promise<ClusterDocument | undefined> {
  const stored = await store.read(clusterKey);
  return stored === undefined ? undefined : parseDocument(stored.bytes, store.location);
}

function pick({ uuid, name, token }: ClusterIdentity): ClusterIdentity {
  return { uuid, name, token };
}
