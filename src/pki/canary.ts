/** Certificates that are revoked from birth: presented to a port, they show whether it reads its revocation list, whoever holds the keys that matter. */
import { createPublicKey } from 'node:crypto';
import type { SubjectAltNames } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Use } from '../domain/pki-view.ts';
import { type AdminCredentials, openAdmin } from './admin.ts';
import { leafOf } from './chain.ts';
import { makeKey, openKey, type PkiContext } from './context.ts';
import type { ClusterDocument } from './document.ts';
import { type CertificateFacts, readCertificate, tryParse } from './inspect.ts';
import type { LeafProfile } from './profile.ts';
import { readPublicKey, spkiHash } from './public-key.ts';
import { authorityEntry, signAndRecord } from './signing.ts';
import { authorityId, readDocument, readText } from './state.ts';
import { updateObject } from './store.ts';

/** What they are called in the journal. */
export const canaryName = 'revocation-proof';

/** Long enough for a run that is taken up again, short enough for the list to forget it. */
const LIFETIME_DAYS = 7;
const CONTROL_HOURS = 1;

/** A certificate that a port must refuse, and one like it that it must accept: only the list tells them apart. */
export interface RevocationProof {
  readonly refused: AdminCredentials;
  readonly accepted: AdminCredentials;
}

/** Makes one for a use, in place of the one before, and returns what it says: the caller revokes it. `sans`: for the peer port, which looks at where a peer comes from. */
export async function makeCanary(context: PkiContext, use: Use, sans: SubjectAltNames): Promise<CertificateFacts> {
  const document = await readDocument(context.store);
  const key = await makeKey(context, canaryKey(use), true);
  const pem = await issue(context, document, { use, sans, publicKey: key.publicKey.der, days: LIFETIME_DAYS });
  await updateObject(context.store, canaryCertificate(use), () => pem);
  return readCertificate(leafOf(pem));
}

/** What the one in the store says; undefined where there is none that a proof could use: it must match its key, and live for another day. */
export async function soundCanary(context: PkiContext, use: Use): Promise<CertificateFacts | undefined> {
  const facts = tryParse(leafOf((await readText(context.store, canaryCertificate(use))) ?? ''))?.facts;
  const key = await openKey(context, canaryKey(use));
  const document = await readDocument(context.store);
  const issuer = tryParse((await readText(context.store, authorityEntry(document, use).certificate)) ?? '')?.facts;
  const sound =
    facts !== undefined &&
    key !== undefined &&
    facts.spkiSha256 === spkiHash(key.publicKey.der) &&
    facts.issuerDer === issuer?.subjectDer &&
    facts.notAfter - context.now() > 86_400_000;
  return sound ? facts : undefined;
}

/** Opens the revoked one, and makes what it is compared with: the operator's own for clients, one of an hour for peers. Throws `refused` where there is none. */
export async function openProof(context: PkiContext, use: Use, sans: SubjectAltNames): Promise<RevocationProof> {
  const [certificate, key] = await Promise.all([
    readText(context.store, canaryCertificate(use)),
    openKey(context, canaryKey(use)),
  ]);
  if (certificate === undefined || key === undefined) {
    throw new QuorateError('refused', `${context.store.location}: holds no revoked certificate to prove with`, {
      hint: 'run quorate certs revoke again: it makes one',
    });
  }
  const refused = { certificate, key: key.pem };
  if (use === 'client') return { refused, accepted: await openAdmin(context) };
  const pem = await context.entropy.privateKey(context.policy.algorithm);
  const publicKey = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  const document = await readDocument(context.store);
  const control = await issue(context, document, { use, sans, publicKey, days: CONTROL_HOURS / 24 });
  return { refused, accepted: { certificate: control, key: pem } };
}

interface Issue {
  readonly use: Use;
  readonly sans: SubjectAltNames;
  /** SPKI, DER. */
  readonly publicKey: Uint8Array;
  readonly days: number;
}

async function issue(context: PkiContext, document: ClusterDocument, order: Issue): Promise<string> {
  const { use, sans, days } = order;
  const { algorithm, organization } = context.policy;
  const peer = use === 'peer';
  const profile: LeafProfile = {
    purpose: use,
    commonName: `quorate-${canaryName}`,
    organization,
    sans: peer ? sans : { dns: [], ip: [] },
    algorithm,
  };
  const short = { ...context, policy: { ...context.policy, leafLifetimeDays: days } };
  const publicKey = readPublicKey(order.publicKey, algorithm);
  const authority = authorityId(authorityEntry(document, use));
  const why = `to prove on ${peer ? 'peer' : 'client'} ports that revoked certificates are refused`;
  const [made] = await signAndRecord(short, document, [{ profile, publicKey, authority, client: canaryName, why }]);
  if (made === undefined) throw new Error('one order gave no certificate');
  return made.chain;
}

function canaryKey(use: Use): string {
  return `revocation/${use}.key.age`;
}

function canaryCertificate(use: Use): string {
  return `revocation/${use}.crt`;
}
