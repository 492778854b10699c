/** New dates for authorities, with their keys and subjects: bundles change, and no leaf does. */
import { QuorateError } from '../domain/errors.ts';
import type { AuthorityRenewal } from '../domain/step.ts';
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

/**
 * Each authority with a certificate of its own key and subject, another serial and new dates, also where the old one has expired; all of them put into the
 * store's root in one swap, so that none is forgotten. The old files stay; what an interrupted run left is taken up. `why` is for the journal. Throws
 * `refused` for a retired authority, one that another has signed, and one whose key can't be opened.
 */
export async function renewAuthorities(
  context: PkiContext,
  orders: readonly AuthorityRenewal[],
  why: string,
): Promise<readonly AuthoritySnapshot[]> {
  const { store } = context;
  const document = await readDocument(store);
  requireUuid(document, context.uuid, store);
  const files = new Map<string, { readonly old: string; readonly renewed: string }>();
  for (const { id, replaces } of orders) {
    const entry = entryOf(document, id);
    if (entry.status === 'retired') {
      throw new QuorateError('refused', `cluster ${document.name}: ${id} is retired: nothing trusts it any more`);
    }
    const current = await loadAuthority(store, entry);
    if (current.facts.sha256 !== replaces) continue;
    await openAuthority(context, entry);
    files.set(id, { old: entry.certificate, renewed: await renewedFile(context, current, { entry, why }) });
  }
  await updateDocument(store, context.uuid, (now) => {
    const due = (each: AuthorityEntry) => {
      const file = files.get(authorityId(each));
      return file?.old === each.certificate ? file.renewed : undefined;
    };
    if (!now.authorities.some((each) => due(each) !== undefined)) return now;
    const authorities = now.authorities.map((each) => ({ ...each, certificate: due(each) ?? each.certificate }));
    return { ...now, authorities };
  });
  const after = await readDocument(store);
  return Promise.all(orders.map(({ id }) => loadAuthority(store, entryOf(after, id))));
}

interface Renewing {
  readonly entry: AuthorityEntry;
  readonly why: string;
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
