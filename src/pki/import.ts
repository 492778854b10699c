/** Taking in an authority that was made elsewhere: before the cluster is formed it becomes the one that signs, afterwards the successor of that. */
import { QuorateError } from '../domain/errors.ts';
import type { AuthorityPurpose } from './authority-certificate.ts';
import { openKey, type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import type { AcceptedAuthority } from './import-check.ts';
import { journalKey, readJournal } from './journal.ts';
import { spkiHash } from './public-key.ts';
import type { AuthoritySnapshot } from './snapshot.ts';
import {
  authorityId,
  loadAuthority,
  readDocument,
  readText,
  requireUuid,
  standingChains,
  updateDocument,
} from './state.ts';
import { createObject } from './store.ts';
import { addSuccessor, entryOf } from './transitions.ts';

export interface ImportOrder {
  readonly purpose: AuthorityPurpose;
  readonly accepted: AcceptedAuthority;
  /** For the journal. */
  readonly why: string;
}

/**
 * The authority as the store has it now: `active` where none signed for its purpose, else `incoming`. Its key is encrypted before it is written, and opened
 * again before the authority is registered. One that is registered already is returned as it is. Throws `refused` where the policy wants authorities of
 * another kind, or another rotation is open.
 */
export async function importAuthority(context: PkiContext, order: ImportOrder): Promise<AuthoritySnapshot> {
  const { store } = context;
  const document = await readDocument(store);
  requireUuid(document, context.uuid, store);
  requireKind(context, order.purpose, document);
  const known = await findRegistered(context, document, order);
  if (known !== undefined) return known;
  const entry = await putFiles(context, document, order);
  await recordOnce(context, entry, order);
  const standing = await standingChains(store, document);
  await updateDocument(store, context.uuid, (current) => register(current, entry, standing));
  return loadAuthority(store, entryOf(await readDocument(store), authorityId(entry)));
}

function requireKind({ policy }: PkiContext, purpose: AuthorityPurpose, { authorities }: ClusterDocument): void {
  const wanted = policy.authorities === 'single' ? ['both'] : ['client', 'peer'];
  if (wanted.includes(purpose) && authorities.every((each) => wanted.includes(each.purpose))) return;
  const hint =
    purpose === 'both'
      ? 'set pki.authorities to single, or import it with --purpose client: the peers then get an authority of their own'
      : 'name the other --purpose, or change pki.authorities';
  throw new QuorateError('refused', `an authority for ${purpose} does not fit pki.authorities ${policy.authorities}`, {
    hint,
  });
}

async function findRegistered(
  { store }: PkiContext,
  { authorities }: ClusterDocument,
  { purpose, accepted }: ImportOrder,
): Promise<AuthoritySnapshot | undefined> {
  const entries = authorities.filter((each) => each.purpose === purpose && each.status !== 'retired');
  const snapshots = await Promise.all(entries.map((each) => loadAuthority(store, each)));
  return snapshots.find((each) => each.facts.sha256 === accepted.authority.facts.sha256);
}

/** Under the first number whose files are absent, or are those of an import that was interrupted. */
async function putFiles(context: PkiContext, document: ClusterDocument, order: ImportOrder): Promise<AuthorityEntry> {
  const { purpose, accepted } = order;
  const taken = document.authorities.filter((each) => each.purpose === purpose).map((each) => each.number);
  const first = 1 + Math.max(0, ...taken);
  for (let number = first; number < first + 1000; number++) {
    const base = `ca/${purpose}-${number}`;
    const names = { certificate: `${base}.crt`, key: `${base}.key.age` };
    if (!(await putText(context, names.certificate, accepted.certificate))) continue;
    if (!(await putKey(context, names.key, accepted))) continue;
    const behind = accepted.behind === '' ? undefined : `${base}.cross.crt`;
    if (behind !== undefined && !(await putText(context, behind, accepted.behind))) continue;
    const { recipients } = context.custody;
    // Leaves carry an intermediate as they carry a cross certificate: whoever trusts the root alone finds the way.
    const chain = behind === undefined ? {} : { cross: behind, crossServed: true };
    return {
      purpose,
      number,
      ...names,
      status: 'active',
      ...chain,
      recipients: accepted.key === undefined ? [] : recipients,
    };
  }
  throw new QuorateError(
    'refused',
    `${context.store.location}: has a thousand ${purpose} authorities that nothing uses`,
  );
}

/** Whether the store holds this key under that name in the end, encrypted, or none where none was given. */
async function putKey(context: PkiContext, name: string, { key, authority }: AcceptedAuthority): Promise<boolean> {
  if (key === undefined) return (await readText(context.store, name)) === undefined;
  await createObject(context.store, name, await context.custody.encrypt(key));
  const opened = await openKey(context, name);
  return opened !== undefined && spkiHash(opened.publicKey.der) === authority.facts.spkiSha256;
}

async function putText({ store }: PkiContext, name: string, text: string): Promise<boolean> {
  await createObject(store, name, text);
  return (await readText(store, name)) === text;
}

async function recordOnce(context: PkiContext, entry: AuthorityEntry, { accepted, why }: ImportOrder): Promise<void> {
  const { facts, x509 } = accepted.authority;
  const journal = readJournal((await readText(context.store, journalKey)) ?? '', context.uuid);
  // kubeadm's authorities all have the serial 0.
  if (journal.some((each) => each.serial === facts.serial)) return;
  const issued = { ...facts, pem: accepted.certificate, der: x509.raw };
  const record = recordOf(context, issued, {
    purpose: 'authority',
    authority: authorityId(entry),
    commonName: facts.commonName,
    sans: { dns: [], ip: [] },
    spkiSha256: facts.spkiSha256,
    why,
  });
  await recordIssued(context, [record]);
}

function register(document: ClusterDocument, entry: AuthorityEntry, standing: readonly string[]): ClusterDocument {
  const signs = document.authorities.some((each) => each.purpose === entry.purpose && each.status === 'active');
  if (!signs) return { ...document, authorities: [...document.authorities, entry] };
  return addSuccessor(document, { ...entry, status: 'incoming', crossServed: false }, standing);
}
