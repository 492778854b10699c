/** The operator's own client certificate: CN `root`, its key encrypted at once. */
import { createPublicKey } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import { chainFile, leafOf } from './chain.ts';
import { makeKey, type OpenedKey, openKey, type PkiContext } from './context.ts';
import type { ClusterDocument } from './document.ts';
import { certificateDrift } from './drift.ts';
import { readCertificate } from './inspect.ts';
import { adminProfile, signedElsewhere } from './profile.ts';
import { type PublicKey, spkiHash } from './public-key.ts';
import { authorityEntry, type LeafOrder, signAndRecord } from './signing.ts';
import { requestPem, unsignedRequest } from './signing-request.ts';
import { adminKeys, loadAuthority, readDocument, readText, requireUuid } from './state.ts';
import { updateObject } from './store.ts';

/** The operator's certificate with its key, opened in memory. */
export interface AdminCredentials {
  /** PEM; the cross certificate behind it while that is served. */
  readonly certificate: string;
  /** PKCS#8 PEM; secret. */
  readonly key: string;
}

/**
 * Makes the operator's certificate, or issues it anew where it is not what the policy and the authority in force want; returns its PEM, the cross
 * certificate behind it while that is served. The key is kept unless the policy's algorithm is another. `authority` names the one that was planned to
 * sign; another is refused. `renew` issues it anew also where it is sound. Running again after an interruption ends with a key and certificate that match.
 */
export async function ensureAdmin(
  context: PkiContext,
  why: string,
  authority?: string,
  renew = false,
): Promise<string> {
  const { store, policy } = context;
  const document = await readDocument(store);
  requireUuid(document, context.uuid, store);
  const signer = await loadAuthority(store, authorityEntry(document, 'client', authority));
  const key = await ensureKey(context);
  const certificate = (await readText(store, adminKeys.certificate)) ?? '';
  const profile = adminProfile(policy);
  const leaf = leafOf(certificate);
  const drift = certificateDrift(leaf, { profile, authority: signer.certificate }, context.now());
  const sound = drift.length === 0 && matches(leaf, key) && !renew;
  const order = { profile, publicKey: key.publicKey, authority, why };
  const pem = sound ? chainFile(leaf, signer.cross) : await issue(context, document, order);
  if (pem !== certificate) await updateObject(store, adminKeys.certificate, () => pem);
  return pem;
}

/** Makes the operator's own key where there is none, and notes its public half: what a certificate is requested for. */
export async function prepareAdminKey(context: PkiContext): Promise<void> {
  requireUuid(await readDocument(context.store), context.uuid, context.store);
  const { publicKey } = await ensureKey(context);
  const pem = publicKeyPem(publicKey);
  await updateObject(context.store, adminKeys.publicKey, (bytes) => (bytes?.toString() === pem ? undefined : pem));
}

/** The signing request for the operator's own key, PEM. Throws `refused` where there is none, or the identity does not open it. */
export async function requestAdmin(context: PkiContext): Promise<string> {
  const key = await openKey(context, adminKeys.key);
  if (key === undefined) {
    throw new QuorateError('refused', `${context.store.location}/${adminKeys.key}: is missing`, {
      hint: 'run quorate certs ca external request again: it makes one',
    });
  }
  const unsigned = unsignedRequest(adminProfile(context.policy), key.publicKey);
  return requestPem(unsigned, key.sign(unsigned.info, unsigned.hash));
}

function publicKeyPem({ der }: PublicKey): string {
  return `${createPublicKey({ key: Buffer.from(der), type: 'spki', format: 'der' }).export({ type: 'spki', format: 'pem' })}`;
}

async function issue(context: PkiContext, document: ClusterDocument, order: LeafOrder): Promise<string> {
  return (await signAndRecord(context, document, [order])).map(({ chain }) => chain).join('');
}

/** Opens the operator's own key. Throws `refused` where there is none, the identity does not open it, or it is not the certificate's. */
export async function openAdmin(context: Pick<PkiContext, 'store' | 'custody'>): Promise<AdminCredentials> {
  const certificate = await readText(context.store, adminKeys.certificate);
  const key = await openKey(context, adminKeys.key);
  if (certificate && key !== undefined && matches(certificate, key)) return { certificate, key: key.pem };
  const what = !certificate || key === undefined ? 'is missing' : 'does not match its key';
  throw new QuorateError('refused', `${context.store.location}: the admin certificate ${what}`, {
    hint: 'run quorate bootstrap again: it makes a new one',
  });
}

async function ensureKey(context: PkiContext): Promise<OpenedKey> {
  const found = await openKey(context, adminKeys.key);
  if (found === undefined) return makeKey(context, adminKeys.key);
  // A certificate for another key would have to come from elsewhere first, and until then nobody could be asked.
  if (found.publicKey.algorithm === context.policy.algorithm || signedElsewhere('client', context.policy)) return found;
  await blankCertificate(context);
  return makeKey(context, adminKeys.key, true);
}

/** An interruption between new key and new certificate must show without opening anything: an empty certificate counts as absent. */
async function blankCertificate({ store }: PkiContext): Promise<void> {
  await updateObject(store, adminKeys.certificate, (bytes) => (bytes === undefined ? undefined : ''));
}

function matches(certificate: string, key: OpenedKey): boolean {
  return readCertificate(leafOf(certificate)).spkiSha256 === spkiHash(key.publicKey.der);
}
