/** Making one authority: key, certificate, journal; what an interrupted run left behind is taken up. Nothing is registered here. */
import { QuorateError } from '../domain/errors.ts';
import { type AuthorityPurpose, issueAuthority } from './authority-certificate.ts';
import { makeKey, type OpenedKey, openKey, type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { verifyIssuedBy } from './drift.ts';
import { readCertificate } from './inspect.ts';
import { constraintDrift } from './name-constraints.ts';
import { spkiHash } from './public-key.ts';
import { authorityId, readText } from './state.ts';
import { createObject } from './store.ts';

export interface Making {
  readonly document: ClusterDocument;
  readonly purpose: AuthorityPurpose;
  readonly status: 'active' | 'incoming';
  /** For the journal. */
  readonly why: string;
}

/**
 * An entry whose key and certificate are in the store: of the first number after those registered whose files are absent, or were left by an interrupted
 * run under the same policy. Throws `refused` where the identity opens no key that is there.
 */
export async function makeAuthority(context: PkiContext, making: Making): Promise<AuthorityEntry> {
  const { purpose, status, document } = making;
  const first = nextNumber(document, purpose);
  for (let number = first; number < first + 1000; number++) {
    const base = `ca/${purpose}-${number}`;
    const { recipients } = context.custody;
    const entry = { purpose, number, certificate: `${base}.crt`, key: `${base}.key.age`, status, recipients };
    if (await complete(context, entry, making)) return entry;
  }
  throw new QuorateError(
    'refused',
    `${context.store.location}: has a thousand ${purpose} authorities that nothing uses`,
  );
}

function nextNumber({ authorities }: ClusterDocument, purpose: AuthorityPurpose): number {
  return 1 + Math.max(0, ...authorities.filter((each) => each.purpose === purpose).map((each) => each.number));
}

/** Whether the entry's two files are there in the end, match, and are what the policy wants. */
async function complete(context: PkiContext, entry: AuthorityEntry, making: Making): Promise<boolean> {
  const { store, policy } = context;
  // The certificate is looked for before the key: another run that makes both just now puts the key there first.
  const certified = (await readText(store, entry.certificate)) !== undefined;
  const found = await openKey(context, entry.key);
  if (found === undefined && certified) return false;
  const key = found ?? (await makeKey(context, entry.key));
  if (key.publicKey.algorithm !== policy.algorithm) return false;
  if ((await readText(store, entry.certificate)) === undefined) await certify(context, entry, { ...making, key });
  const certificate = (await readText(store, entry.certificate)) ?? '';
  return readCertificate(certificate).spkiSha256 === spkiHash(key.publicKey.der) && asWanted(context, certificate);
}

/** Whether it is still nearly all of what a new one would be: leftovers of long ago are not taken up. */
function asWanted({ policy, now }: PkiContext, certificate: string): boolean {
  const { organization, notBefore, notAfter, nameConstraints } = readCertificate(certificate);
  const lifeMs = policy.caLifetimeDays * 86_400_000;
  const sound = verifyIssuedBy(certificate, certificate, now()).length === 0;
  const fresh = notAfter - notBefore === lifeMs + policy.backdateMinutes * 60_000 && notAfter - now() > 0.9 * lifeMs;
  const limited = constraintDrift(nameConstraints, policy.nameConstraints);
  return sound && fresh && limited.length === 0 && organization === policy.organization;
}

async function certify(
  context: PkiContext,
  entry: AuthorityEntry,
  making: Making & { readonly key: OpenedKey },
): Promise<void> {
  const { publicKey, sign } = making.key;
  const issued = issueAuthority({
    clusterName: making.document.name,
    purpose: entry.purpose,
    number: entry.number,
    policy: context.policy,
    publicKey,
    sign,
    serial: context.entropy.serial(),
    now: context.now(),
  });
  const record = recordOf(context, issued, {
    purpose: 'authority',
    authority: authorityId(entry),
    commonName: readCertificate(issued.pem).commonName,
    sans: { dns: [], ip: [] },
    spkiSha256: spkiHash(publicKey.der),
    why: making.why,
  });
  await recordIssued(context, [record]);
  await createObject(context.store, entry.certificate, issued.pem);
}
