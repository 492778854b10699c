/** Authorities that succeed each other, in the store: made, signed by their predecessor, put into force and out of it. Each may be run again at any time. */
import { QuorateError } from '../domain/errors.ts';
import { openAuthority } from './authorities.ts';
import { type AuthorityPurpose, issueCross } from './authority-certificate.ts';
import { openKey, type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { verifyIssuedBy } from './drift.ts';
import { readCertificate, tryParse } from './inspect.ts';
import { makeAuthority } from './make-authority.ts';
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
import { updateObject } from './store.ts';
import {
  abandon,
  activate,
  addSuccessor,
  dropCross,
  incomingFor,
  replace,
  requireSettled,
  retire,
  type Transition,
} from './transitions.ts';

export interface SuccessorOrder {
  readonly purpose: AuthorityPurpose;
  /** For the journal. */
  readonly why: string;
  /** Whether the predecessor signs the successor's key as well; without it, whoever trusts the predecessor alone can't verify new leaves. */
  readonly cross: boolean;
}

/**
 * The successor of the active authority: registered as `incoming` once its key and certificate are in the store, and its cross certificate where that is
 * wanted. One that is incoming already is returned. Throws `refused` where another rotation is open, and where the predecessor can't sign its successor
 * (expired, key missing, path length 0).
 */
export async function makeSuccessor(context: PkiContext, order: SuccessorOrder): Promise<AuthoritySnapshot> {
  const { store } = context;
  const document = await readDocument(store);
  requireUuid(document, context.uuid, store);
  if (incomingFor(document, order.purpose) === undefined) await register(context, document, order);
  const entry = incomingFor(await readDocument(store), order.purpose);
  if (entry === undefined) {
    throw new QuorateError('refused', `${store.location}: the successor was taken back by somebody else`, {
      hint: 'plan again',
    });
  }
  await openAuthority(context, entry);
  return loadAuthority(store, entry);
}

/** Lets incoming authorities sign; their predecessors are trusted and sign no more. All in one swap. Throws `refused` for one that is no successor. */
export async function activateAuthorities(context: PkiContext, ids: readonly string[]): Promise<void> {
  await applyTransition(context, ids, activate);
}

/** Ends the trust in outgoing authorities. All in one swap. Throws `refused` for one that is active or incoming. */
export async function retireAuthorities(context: PkiContext, ids: readonly string[]): Promise<void> {
  await applyTransition(context, ids, retire);
}

/** Wants the leaves of these authorities served alone. All in one swap. Throws `refused` while a predecessor is trusted. */
export async function dropCrossCertificates(context: PkiContext, ids: readonly string[]): Promise<void> {
  await applyTransition(context, ids, dropCross);
}

/** Lets successors sign in place of authorities that have expired and are trusted no more. All in one swap. Throws `refused` where one has not expired. */
export async function replaceExpired(context: PkiContext, ids: readonly string[]): Promise<void> {
  const document = await readDocument(context.store);
  const expired = await Promise.all(
    document.authorities
      .filter((each) => each.status === 'active')
      .map(async (each) => ({ id: authorityId(each), end: (await loadAuthority(context.store, each)).facts.notAfter })),
  );
  const ended = expired.filter(({ end }) => end <= context.now()).map(({ id }) => id);
  await applyTransition(context, ids, (current, id) => replace(current, id, ended));
}

/** Takes successors back: their predecessors sign again. All in one swap. Throws `refused` once a predecessor is retired. */
export async function abandonSuccessors(context: PkiContext, ids: readonly string[]): Promise<void> {
  await applyTransition(context, ids, abandon);
}

async function applyTransition(context: PkiContext, ids: readonly string[], transition: Transition): Promise<void> {
  await updateDocument(context.store, context.uuid, (document) => ids.reduce(transition, document));
}

async function register(context: PkiContext, document: ClusterDocument, order: SuccessorOrder): Promise<void> {
  const { purpose, why } = order;
  const standing = await standingChains(context.store, document);
  const predecessor = requireSettled(document, purpose, standing);
  const entry = await makeAuthority(context, { document, purpose, status: 'incoming', why });
  const whole = order.cross ? await withCross(context, entry, { predecessor, why }) : entry;
  await updateDocument(context.store, context.uuid, (current) => addSuccessor(current, whole, standing));
}

interface Crossing {
  readonly predecessor: AuthorityEntry;
  readonly why: string;
}

/** One that an interrupted run left, or that another run makes just now, is taken up where the predecessor vouches for it. */
async function withCross(context: PkiContext, entry: AuthorityEntry, crossing: Crossing): Promise<AuthorityEntry> {
  const { store } = context;
  const key = entry.certificate.replace(/\.crt$/, '.cross.crt');
  const vouched = await crossJudge(context, entry, crossing.predecessor);
  if (!vouched((await readText(store, key)) ?? '')) {
    const pem = await signCross(context, entry, crossing);
    await updateObject(store, key, (bytes) => (vouched(bytes?.toString('utf8') ?? '') ? undefined : pem));
  }
  return { ...entry, cross: key };
}

/** Whether a PEM text is the cross certificate of `entry`, signed by `predecessor` and valid now. */
async function crossJudge({ store, now }: PkiContext, entry: AuthorityEntry, predecessor: AuthorityEntry) {
  const [successor, signer] = await Promise.all([loadAuthority(store, entry), loadAuthority(store, predecessor)]);
  const { spkiSha256, subjectDer } = successor.facts;
  return (pem: string): boolean => {
    const cross = tryParse(pem)?.facts;
    const same = cross?.spkiSha256 === spkiSha256 && cross.subjectDer === subjectDer;
    return same && verifyIssuedBy(pem, signer.certificate, now()).length === 0;
  };
}

async function signCross(context: PkiContext, entry: AuthorityEntry, { predecessor, why }: Crossing): Promise<string> {
  const [signer, key] = await Promise.all([openAuthority(context, predecessor), openKey(context, entry.key)]);
  if (key === undefined) throw new Error(`${entry.key} vanished`);
  const successor = (await loadAuthority(context.store, entry)).facts;
  const { policy, entropy } = context;
  const issued = issueCross({
    successor,
    publicKey: key.publicKey,
    predecessor: signer,
    policy,
    serial: entropy.serial(),
    now: context.now(),
  });
  const record = recordOf(context, issued, {
    purpose: 'authority',
    authority: authorityId(predecessor),
    commonName: readCertificate(issued.pem).commonName,
    sans: { dns: [], ip: [] },
    spkiSha256: successor.spkiSha256,
    why,
  });
  await recordIssued(context, [record]);
  return issued.pem;
}
