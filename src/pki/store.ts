/** Where a cluster's PKI is kept: small objects by key, changed only by compare-and-swap. Files today; S3 and etcd have the same shape. */
import { QuorateError } from '../domain/errors.ts';

/** An object and the version that a swap has to name. */
export interface StoredObject {
  readonly bytes: Buffer;
  /** Opaque; the same only for the same bytes. */
  readonly version: string;
}

/** Keys are relative paths of lower-case words: `ca/client-1.crt`, `issued.jsonl`. */
export interface PkiStore {
  /** For people: a folder, a URL. */
  readonly location: string;
  read(key: string): Promise<StoredObject | undefined>;
  /**
   * Puts `bytes` durably where the object still has `expected` (null: where it does not exist), and returns the new version. Throws
   * {@link StoreConflict} otherwise: of several that swap from one version, exactly one succeeds.
   */
  swap(key: string, expected: string | null, bytes: Uint8Array | string): Promise<string>;
  /** Keys that begin with `prefix`, sorted. */
  list(prefix: string): Promise<readonly string[]>;
}

/** Somebody else has changed the object meanwhile: read it again and decide anew. */
export class StoreConflict extends Error {
  constructor(key: string) {
    super(`${key} was changed meanwhile`);
    this.name = 'StoreConflict';
  }
}

/**
 * Reads an object, lets `change` make the new bytes, and swaps them in; begins again when somebody else was quicker. `change` returns undefined to leave
 * it as it is. Returns the bytes that are in the store afterwards. Throws `locked` after 50 conflicts.
 */
export async function updateObject(
  store: PkiStore,
  key: string,
  change: (current: Buffer | undefined) => string | undefined,
): Promise<Buffer> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const current = await store.read(key);
    const next = change(current?.bytes);
    if (next === undefined) return current?.bytes ?? Buffer.alloc(0);
    if (await trySwap(store, { key, expected: current?.version ?? null, text: next })) return Buffer.from(next);
  }
  throw new QuorateError('locked', `${store.location}: others keep changing ${key}`, { hint: 'run the command again' });
}

/** Puts an object that must not exist yet; false when somebody else has made it first. */
export async function createObject(store: PkiStore, key: string, text: string): Promise<boolean> {
  return trySwap(store, { key, expected: null, text });
}

async function trySwap(
  store: PkiStore,
  swap: { readonly key: string; readonly expected: string | null; readonly text: string },
): Promise<boolean> {
  try {
    await store.swap(swap.key, swap.expected, swap.text);
    return true;
  } catch (error) {
    if (error instanceof StoreConflict) return false;
    throw error;
  }
}
