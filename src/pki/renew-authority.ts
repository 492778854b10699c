/** New dates for an authority, with its key and subject: bundles change, and no leaf does. */
import { QuorateError } from '../domain/errors.ts';
import { openAuthority } from './authorities.ts';
import { renewAuthorityCertificate } from './authority-certificate.ts';
import { openKey, type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry } from './document.ts';
import { verifyIssuedBy } from './drift.ts';
import { tryParse } from './inspect.ts';
import { constraintDrift } from './name-constraints.ts';
import type { AuthoritySnapshot } from './snapshot.ts';
import { authorityId, loadAuthority, readDocument, readText, requireUuid, updateDocument } from './state.ts';
import { createObject } from './store.ts';
import { entryOf } from './transitions.ts';

export interface RenewalOrder {
  /** `client-1` */
  readonly id: string;
  /** sha256 of the certificate that is to be replaced, lower-case hex: where the authority has another one by now, nothing is done. */
  readonly replaces: string;
  /** For the journal. */
  readonly why: string;
}

/**
 * The authority with a certificate of its own key and subject, another serial and new dates, also where the old one has expired. The old file stays;
 * what an interrupted run left is taken up. Throws `refused` for a retired authority, one that another has signed, and one whose key can't be opened.
 */
export async function renewAuthority(context: PkiContext, order: RenewalOrder): Promise<AuthoritySnapshot> {
  const { store } = context;
  const document = await readDocument(store);
  requireUuid(document, context.uuid, store);
  const entry = entryOf(document, order.id);
  if (entry.status === 'retired') {
    throw new QuorateError('refused', `cluster ${document.name}: ${order.id} is retired: nothing trusts it any more`);
  }
  const current = await loadAuthority(store, entry);
  if (current.facts.sha256 === order.replaces) await renew(context, current, { entry, why: order.why });
  return loadAuthority(store, entryOf(await readDocument(store), order.id));
}

interface Renewing {
  readonly entry: AuthorityEntry;
  readonly why: string;
}

async function renew(context: PkiContext, current: AuthoritySnapshot, renewing: Renewing): Promise<void> {
  const { entry } = renewing;
  await openAuthority(context, entry);
  const certificate = await renewedFile(context, current, renewing);
  await updateDocument(context.store, context.uuid, (document) => {
    const now = entryOf(document, authorityId(entry));
    if (now.certificate !== entry.certificate) return document;
    const authorities = document.authorities.map((each) => (each === now ? { ...now, certificate } : each));
    return { ...document, authorities };
  });
}

/** `ca/client-1.2.crt`, the next where that is taken by something else. */
async function renewedFile(context: PkiContext, current: AuthoritySnapshot, renewing: Renewing): Promise<string> {
  const [, base = '', count = '1'] = /^(.*?)(?:\.(\d+))?\.crt$/.exec(renewing.entry.certificate) ?? [];
  for (let number = Number(count) + 1; number < Number(count) + 1000; number++) {
    const file = `${base}.${number}.crt`;
    if ((await readText(context.store, file)) === undefined) await certify(context, current, { ...renewing, file });
    if (renews(context, (await readText(context.store, file)) ?? '', current)) return file;
  }
  throw new QuorateError('refused', `${context.store.location}: ${current.id} has a thousand certificates`);
}

/** Whether a certificate is the same authority with nearly all of a new life before it. */
function renews({ policy, now }: PkiContext, pem: string, { facts }: AuthoritySnapshot): boolean {
  const found = tryParse(pem)?.facts;
  const same = found?.spkiSha256 === facts.spkiSha256 && found.subjectDer === facts.subjectDer;
  if (!same || found.sha256 === facts.sha256 || verifyIssuedBy(pem, pem, now()).length > 0) return false;
  const limited = constraintDrift(found.nameConstraints, policy.nameConstraints);
  return limited.length === 0 && found.notAfter - now() > 0.9 * policy.caLifetimeDays * 86_400_000;
}

async function certify(
  context: PkiContext,
  { facts, id }: AuthoritySnapshot,
  { entry, why, file }: Renewing & { readonly file: string },
): Promise<void> {
  const key = await openKey(context, entry.key);
  if (key === undefined) throw new Error(`${entry.key} vanished`);
  const { publicKey, sign } = key;
  const { policy, entropy } = context;
  const issued = renewAuthorityCertificate({
    current: facts,
    publicKey,
    sign,
    policy,
    serial: entropy.serial(),
    now: context.now(),
  });
  const record = recordOf(context, issued, {
    purpose: 'authority',
    authority: id,
    commonName: facts.commonName,
    sans: { dns: [], ip: [] },
    spkiSha256: facts.spkiSha256,
    why,
  });
  await recordIssued(context, [record]);
  await createObject(context.store, file, issued.pem);
}
