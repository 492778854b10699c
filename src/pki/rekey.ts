/** Encrypting every private key of the store to other recipients. At each moment one set of identities opens all of it: first the old one, then the new. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { type Custody, openCustody } from './custody.ts';
import { storedIdentityKey } from './passphrase.ts';
import { readDocument, requireUuid, updateDocument } from './state.ts';
import { type PkiStore, StoreConflict, updateObject } from './store.ts';

export interface Rekeying {
  /** `AGE-SECRET-KEY-1…` that open the store now; secret. */
  readonly old: readonly string[];
  /** Those that must open it afterwards; secret, at least one: what nothing here can open is never written. */
  readonly identities: readonly string[];
  /** Further recipients. */
  readonly recipients: readonly string[];
  /** The new identity behind a passphrase, armored, for the store to keep; undefined: the store keeps none. */
  readonly sealed: string | undefined;
}

export interface Rekeyed {
  /** Keys in the store, sorted. */
  readonly keys: readonly string[];
  /** Everybody who can open them now. */
  readonly recipients: readonly string[];
}

/** Objects that others add meanwhile are taken up; more rounds than this and somebody keeps adding. */
const ROUNDS = 5;

/** The identity that the store keeps behind a passphrase; undefined where it keeps none. */
export async function storedIdentity(
  store: PkiStore,
): Promise<{ readonly source: string; readonly bytes: Uint8Array } | undefined> {
  const stored = await store.read(storedIdentityKey);
  if (stored === undefined || stored.bytes.length === 0) return undefined;
  return { source: `${store.location}/${storedIdentityKey}`, bytes: stored.bytes };
}

/**
 * Opens every key before anything is changed; encrypts each to old and new recipients together, then to the new ones alone. What is written was decrypted
 * before, and is opened again in the end. Running again after an interruption ends the same way. Throws `refused` where a key can't be opened.
 */
export async function rekeyStore(store: PkiStore, uuid: string, wish: Rekeying): Promise<Rekeyed> {
  requireUuid(await readDocument(store), uuid, store);
  const old = await openCustody(wish.old, []);
  const target = await openCustody(wish.identities, wish.recipients);
  const opener = await openCustody([...wish.old, ...wish.identities], []);
  const both = await openCustody([...wish.old, ...wish.identities], wish.recipients);
  await requireAll(store, opener);
  let keys = await privateKeys(store);
  for (const key of keys) await reencrypt(store, key, { opener, to: both, provers: [old, target] });
  await keepIdentity(store, wish.sealed);
  let done: readonly string[] = [];
  for (let round = 0; keys.some((key) => !done.includes(key)); round++) {
    if (round === ROUNDS) throw new QuorateError('locked', `${store.location}: others keep adding keys`);
    const fresh = keys.filter((key) => !done.includes(key));
    for (const key of fresh) await reencrypt(store, key, { opener, to: target, provers: [target] });
    done = [...done, ...fresh];
    keys = await privateKeys(store);
  }
  await requireAll(store, target);
  await updateDocument(store, uuid, (document) => ({
    ...document,
    // One that signs elsewhere has no key here, and nobody who could open it.
    authorities: document.authorities.map((each) =>
      keys.includes(each.key) ? { ...each, recipients: target.recipients } : each,
    ),
  }));
  return { keys, recipients: target.recipients };
}

/** Every encrypted private key of the store, less those that were blanked. */
async function privateKeys(store: PkiStore): Promise<readonly string[]> {
  const keys = (await store.list('')).filter((key) => key.endsWith('.key.age'));
  const sizes = await Promise.all(keys.map(async (key) => (await store.read(key))?.bytes.length ?? 0));
  return keys.filter((_, index) => (sizes[index] ?? 0) > 0);
}

async function requireAll(store: PkiStore, custody: Custody): Promise<void> {
  const failures: QuorateError[] = [];
  for (const key of await privateKeys(store)) {
    try {
      await custody.decrypt(await readArmored(store, key), `${store.location}/${key}`);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw combineErrors(`${failures.length} keys can't be opened`, failures);
}

interface Reencryption {
  readonly opener: Custody;
  readonly to: Custody;
  /** Each of these must open what is about to be written. */
  readonly provers: readonly Custody[];
}

async function reencrypt(store: PkiStore, key: string, { opener, to, provers }: Reencryption): Promise<void> {
  const name = `${store.location}/${key}`;
  for (;;) {
    const stored = await store.read(key);
    if (stored === undefined) return;
    const plaintext = await opener.decrypt(stored.bytes.toString('utf8'), name);
    const armored = await to.encrypt(plaintext);
    for (const prover of provers) {
      if ((await prover.decrypt(armored, name)) !== plaintext) throw new Error(`${key}: reads back as something else`);
    }
    try {
      await store.swap(key, stored.version, armored);
      return;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
    }
  }
}

/** Between the two passes: whichever identity a verb finds from here on opens everything. */
async function keepIdentity(store: PkiStore, sealed: string | undefined): Promise<void> {
  await updateObject(store, storedIdentityKey, (bytes) =>
    sealed === undefined && (bytes?.length ?? 0) === 0 ? undefined : (sealed ?? ''),
  );
}

async function readArmored(store: PkiStore, key: string): Promise<string> {
  return (await store.read(key))?.bytes.toString('utf8') ?? '';
}
