/** Making a cluster's certificate authorities, and opening them to sign. */
import { QuorateError } from '../domain/errors.ts';
import { makeKey, type OpenedKey, openKey, type PkiContext, recordIssued, recordOf } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { verifyIssuedBy } from './drift.ts';
import { readCertificate } from './inspect.ts';
import { type AuthorityPurpose, issueAuthority, type Signer, signerOf } from './issue.ts';
import { spkiHash } from './public-key.ts';
import type { AuthoritySnapshot } from './snapshot.ts';
import { authorityId, loadAuthority, readDocument, readText, requireUuid, updateDocument } from './state.ts';
import { createObject } from './store.ts';

/**
 * Makes the authorities that the policy asks for and that the store does not have, and returns all in force. Each is registered only once its key,
 * encrypted, synced and read back, opens and matches its certificate; what an interrupted run left behind is taken up. Throws `refused` where the
 * identity opens no key that is there, and where the store has authorities of the other kind (separate, single).
 */
export async function createAuthorities(context: PkiContext, why: string): Promise<readonly AuthoritySnapshot[]> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  for (const purpose of wantedPurposes(context, document)) {
    const entry = document.authorities.find((each) => each.purpose === purpose);
    if (entry === undefined) await register(context, await makeAuthority(context, purpose, { document, why }));
    else await openAuthority(context, entry);
  }
  const { authorities } = await readDocument(context.store);
  return Promise.all(authorities.map((each) => loadAuthority(context.store, each)));
}

/** Opens an authority's key in memory. Throws `refused` where there is none, or where it is not its certificate's. */
export async function openAuthority(context: PkiContext, entry: AuthorityEntry): Promise<Signer> {
  const { store } = context;
  const [authority, key] = await Promise.all([loadAuthority(store, entry), openKey(context, entry.key)]);
  if (key === undefined) {
    throw new QuorateError(
      'refused',
      `${store.location}/${entry.key}: is missing, so nothing can be signed by ${authority.id}`,
      {
        hint: 'restore it from your backup or git',
      },
    );
  }
  if (spkiHash(key.publicKey.der) !== authority.facts.spkiSha256) {
    throw new QuorateError('refused', `${store.location}/${entry.key}: is not the key of ${entry.certificate}`, {
      hint: 'restore both from your backup or git',
    });
  }
  return signerOf(authority.certificate, key.sign);
}

function wantedPurposes({ policy, store }: PkiContext, document: ClusterDocument): readonly AuthorityPurpose[] {
  const wanted: readonly AuthorityPurpose[] = policy.authorities === 'single' ? ['both'] : ['client', 'peer'];
  const other = document.authorities.find((each) => !wanted.includes(each.purpose));
  if (other === undefined) return wanted;
  throw new QuorateError(
    'refused',
    `${store.location}: has authority ${authorityId(other)}, but pki.authorities is ${policy.authorities}`,
    {
      hint: `set pki.authorities to ${policy.authorities === 'single' ? 'separate' : 'single'}, as this cluster was made`,
    },
  );
}

interface Making {
  readonly document: ClusterDocument;
  readonly why: string;
}

/** The first number whose files are absent, or were left by an interrupted run under the same policy. */
async function makeAuthority(context: PkiContext, purpose: AuthorityPurpose, making: Making): Promise<AuthorityEntry> {
  for (let number = 1; number <= 1000; number++) {
    const base = `ca/${purpose}-${number}`;
    const { recipients } = context.custody;
    const entry: AuthorityEntry = {
      purpose,
      number,
      certificate: `${base}.crt`,
      key: `${base}.key.age`,
      status: 'active',
      recipients,
    };
    if (await complete(context, entry, making)) return entry;
  }
  throw new QuorateError(
    'refused',
    `${context.store.location}: has a thousand ${purpose} authorities that nothing uses`,
  );
}

/** Whether the entry's two files are there in the end, match, and are what the policy wants. */
async function complete(context: PkiContext, entry: AuthorityEntry, making: Making): Promise<boolean> {
  const { store, policy } = context;
  const found = await openKey(context, entry.key);
  if (found === undefined && (await readText(store, entry.certificate)) !== undefined) return false;
  const key = found ?? (await makeKey(context, entry.key));
  if (key.publicKey.algorithm !== policy.algorithm) return false;
  if ((await readText(store, entry.certificate)) === undefined) await certify(context, entry, { ...making, key });
  const certificate = (await readText(store, entry.certificate)) ?? '';
  const facts = readCertificate(certificate);
  const sound = verifyIssuedBy(certificate, certificate, context.now()).length === 0;
  return sound && facts.spkiSha256 === spkiHash(key.publicKey.der) && facts.organization === policy.organization;
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

async function register(context: PkiContext, entry: AuthorityEntry): Promise<void> {
  await updateDocument(context.store, context.uuid, (document) => {
    const known = document.authorities.some((each) => each.purpose === entry.purpose);
    return known ? document : { ...document, authorities: [...document.authorities, entry] };
  });
}
