/** Certificates of an authority that signs elsewhere: checked, noted and kept in the store until the key that they are for asks for one. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { AuthorityView } from '../domain/pki-view.ts';
import { canonicalSans } from './addresses.ts';
import { chainFile, leafOf } from './chain.ts';
import { type PkiContext, recordIssued, recordOf } from './context.ts';
import { certificateDrift } from './drift.ts';
import { etcdRefuses } from './import-check.ts';
import { type ParsedCertificate, splitPem, tryParse } from './inspect.ts';
import { permitsUse } from './inspect-extensions.ts';
import type { IssuedLeaf } from './issue.ts';
import { journalKey, readJournal } from './journal.ts';
import type { LeafProfile } from './profile.ts';
import { type PublicKey, spkiHash } from './public-key.ts';
import type { AuthoritySnapshot } from './snapshot.ts';
import { externalFolder, loadAuthority, readDocument, readText, requireUuid } from './state.ts';
import { updateObject } from './store.ts';
import { entryOf } from './transitions.ts';

/** What a certificate must be, and for which key. */
export interface ExternalWish {
  readonly profile: LeafProfile;
  readonly publicKey: PublicKey;
  /** ID of the authority that should have signed it. */
  readonly authority: string;
  /** For messages: the file. */
  readonly what: string;
}

/** A certificate that came back. */
export interface Returned extends ExternalWish {
  /** The certificate, and whatever its authority put behind it. */
  readonly pem: string;
}

/**
 * Checks every certificate before any is kept: its key, subject, names, usages, dates, and the way to its authority. Then notes them in the journal and puts
 * them into the store. Throws `refused` with everything that is wrong with any of them.
 */
export async function installExternal(context: PkiContext, returned: readonly Returned[]): Promise<void> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  const judged = await Promise.all(
    returned.map(async (each) => {
      const authority = await loadAuthority(context.store, entryOf(document, each.authority));
      return { ...each, problems: externalProblems(each, authority, context.now()) };
    }),
  );
  const errors = judged.flatMap(({ what, problems }) =>
    problems.map(
      (problem) =>
        new QuorateError('refused', `${what}: ${problem}`, { hint: 'have it signed again; nothing was installed' }),
    ),
  );
  if (errors.length > 0) throw combineErrors(`${errors.length} things are wrong with the certificates`, errors);
  await record(context, returned);
  for (const { pem, publicKey } of returned) {
    await updateObject(context.store, externalKey(publicKey), () => leafOf(pem));
  }
}

/** The certificate that was installed for this key; undefined where none was. Throws `refused` where it is no longer what is wanted. */
export async function installedLeaf(
  context: PkiContext,
  wish: Omit<ExternalWish, 'authority'>,
  authority: AuthoritySnapshot,
): Promise<IssuedLeaf | undefined> {
  const pem = (await readText(context.store, externalKey(wish.publicKey))) ?? '';
  const leaf = tryParse(pem);
  if (leaf === undefined) return undefined;
  const [problem] = externalProblems({ ...wish, pem }, authority, context.now());
  if (problem === undefined) return issuedLeaf(leaf);
  throw new QuorateError('refused', `${wish.what}: the certificate that was installed for it: ${problem}`, {
    hint: 'have the same key signed again',
  });
}

function externalKey({ der }: PublicKey): string {
  return `${externalFolder}${spkiHash(der)}.crt`;
}

/** Everything that is wrong with a certificate of `authority`, as phrases: key, subject, names, usages, dates, what etcd cannot read, and the way to its authority. */
export function externalProblems(
  returned: Pick<Returned, 'pem' | 'profile' | 'publicKey'>,
  authority: Pick<AuthorityView, 'certificate' | 'cross'>,
  now: number,
): readonly string[] {
  const { pem, profile, publicKey } = returned;
  const leaf = tryParse(leafOf(pem));
  if (pem.includes('PRIVATE KEY')) return ['holds a private key, which must stay where it was made'];
  if (leaf === undefined) return ['is no certificate in PEM'];
  const { certificate, cross } = authority;
  const issuer = tryParse(certificate);
  const own = spkiHash(publicKey.der) === leaf.facts.spkiSha256;
  const behind = splitPem(pem)
    .slice(1)
    .flatMap((each) => tryParse(each) ?? []);
  const stray = behind.some((each) => each.facts.notAfter <= now);
  return [
    ...(own ? [] : ['is not for the key of its request']),
    ...certificateDrift(chainFile(pem, cross), { profile, authority: certificate, cross }, now),
    ...etcdRefuses(leaf),
    ...(permitsUse(leaf.facts, 'digitalSignature') ? [] : ['key usage digitalSignature is missing']),
    ...(stray ? ['an expired certificate stands behind it'] : []),
    ...(issuer !== undefined && leaf.facts.notAfter > issuer.facts.notAfter ? ['outlives its authority'] : []),
  ];
}

/** A certificate that is installed twice is noted once. */
async function record(context: PkiContext, returned: readonly Returned[]): Promise<void> {
  const journal = readJournal((await readText(context.store, journalKey)) ?? '', context.uuid);
  const known = new Set(journal.map((each) => each.sha256));
  const records = returned.flatMap(({ pem, profile, publicKey, authority }) => {
    const leaf = tryParse(leafOf(pem));
    if (leaf === undefined || known.has(leaf.facts.sha256)) return [];
    const origin = {
      purpose: profile.purpose,
      authority,
      commonName: profile.commonName,
      sans: canonicalSans(profile.sans),
      spkiSha256: spkiHash(publicKey.der),
      why: 'signed elsewhere',
    };
    return [recordOf(context, issuedLeaf(leaf), origin)];
  });
  if (records.length > 0) await recordIssued(context, records);
}

function issuedLeaf({ facts, x509 }: ParsedCertificate): IssuedLeaf {
  const { serial, sha256, notBefore, notAfter } = facts;
  return { pem: `${x509.toString().trimEnd()}\n`, der: x509.raw, serial, sha256, notBefore, notAfter, cut: false };
}
