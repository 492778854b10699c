/** What issuing needs from outside, and the two things that all of it shares: private keys that are kept encrypted, and the journal. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { KeyAlgorithm, PkiPolicy } from '../domain/cluster.ts';
import type { SubjectAltNames } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { IssuedCertificate, Sign } from './certificate.ts';
import type { Custody } from './custody.ts';
import type { Entropy } from './entropy.ts';
import { appendRecords, journalKey, type NewRecord } from './journal.ts';
import { keyAlgorithms, type PublicKey, readPublicKey, spkiAlgorithm } from './public-key.ts';
import { readDocument, readText, requireUuid } from './state.ts';
import { type PkiStore, updateObject } from './store.ts';

export interface PkiContext {
  readonly store: PkiStore;
  readonly custody: Custody;
  readonly policy: PkiPolicy;
  /** The cluster that was planned for; a store that has become another's is refused. */
  readonly uuid: string;
  readonly entropy: Entropy;
  /** Epoch milliseconds. */
  now(): number;
  /** `user@host`, for the journal. */
  readonly who: string;
}

/** A private key, opened in memory. */
export interface OpenedKey {
  readonly publicKey: PublicKey;
  readonly sign: Sign;
  /** PKCS#8 PEM; secret. */
  readonly pem: string;
}

/** Opens an encrypted key; undefined where the store has none. Throws `refused` where the identity does not open it. */
export async function openKey(
  context: Pick<PkiContext, 'store' | 'custody'>,
  key: string,
): Promise<OpenedKey | undefined> {
  const armored = await readText(context.store, key);
  if (armored === undefined) return undefined;
  const name = `${context.store.location}/${key}`;
  const pem = await context.custody.decrypt(armored, name);
  const opened = parseKey(pem, name);
  const spki = createPublicKey(opened).export({ type: 'spki', format: 'der' });
  const publicKey = readPublicKey(spki, supportedAlgorithm(spki, name));
  return { publicKey, pem, sign: (data, hash) => sign(hash, data, opened) };
}

/**
 * Makes a key, stores it encrypted, reads it back from the store and opens that: what is returned is what the store holds, also when somebody else stored
 * theirs first. `replace` puts it over one that is there.
 */
export async function makeKey(context: PkiContext, key: string, replace = false): Promise<OpenedKey> {
  const pem = await context.entropy.privateKey(context.policy.algorithm);
  const armored = await context.custody.encrypt(pem);
  await updateObject(context.store, key, (bytes) => (bytes === undefined || replace ? armored : undefined));
  const opened = await openKey(context, key);
  if (opened === undefined)
    throw new QuorateError('refused', `${context.store.location}/${key}: vanished as it was made`);
  return opened;
}

/** What the journal says besides what stands in the certificate. */
export interface RecordOrigin {
  readonly purpose: NewRecord['purpose'];
  /** What a client is called in the store. */
  readonly client?: string | undefined;
  /** `client-1` */
  readonly authority: string;
  readonly commonName: string;
  readonly sans: SubjectAltNames;
  readonly spkiSha256: string;
  readonly why: string;
}

/** The journal's line for a certificate. */
export function recordOf(context: PkiContext, issued: IssuedCertificate, origin: RecordOrigin): NewRecord {
  return {
    serial: issued.serial,
    sha256: issued.sha256,
    spkiSha256: origin.spkiSha256,
    commonName: origin.commonName,
    dns: origin.sans.dns,
    ip: origin.sans.ip,
    purpose: origin.purpose,
    ...(origin.client === undefined ? {} : { client: origin.client }),
    authority: origin.authority,
    notBefore: new Date(issued.notBefore).toISOString(),
    notAfter: new Date(issued.notAfter).toISOString(),
    who: context.who,
    why: origin.why,
    when: new Date(context.now()).toISOString(),
  };
}

/** Puts lines into the journal in one swap. A certificate leaves only after this has returned. */
export async function recordIssued(context: PkiContext, records: readonly NewRecord[]): Promise<void> {
  requireUuid(await readDocument(context.store), context.uuid, context.store);
  await updateObject(context.store, journalKey, (bytes) =>
    appendRecords(bytes?.toString('utf8') ?? '', context.uuid, records),
  );
}

function parseKey(pem: string, name: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new QuorateError('refused', `${name}: holds no private key`);
  }
}

function supportedAlgorithm(spki: Uint8Array, name: string): KeyAlgorithm {
  const found = spkiAlgorithm(spki);
  const known = keyAlgorithms.find((each) => each === found);
  if (known === undefined) throw new QuorateError('refused', `${name}: keys of type ${found} are not supported`);
  return known;
}
