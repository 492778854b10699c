/** Making a cluster's first certificate authorities, and opening any of them to sign. */
import { QuorateError } from '../domain/errors.ts';
import type { AuthorityPurpose } from './authority-certificate.ts';
import { openKey, type PkiContext } from './context.ts';
import type { AuthorityEntry, ClusterDocument } from './document.ts';
import { type Signer, signerOf } from './issue.ts';
import { makeAuthority } from './make-authority.ts';
import { spkiHash } from './public-key.ts';
import type { AuthoritySnapshot } from './snapshot.ts';
import { authorityId, loadAuthority, readDocument, requireUuid, updateDocument } from './state.ts';

/**
 * Makes the authorities that the policy asks for and that the store does not have, and returns all that are trusted. Each is registered only once its
 * key, encrypted, synced and read back, opens and matches its certificate; what an interrupted run left behind is taken up. Throws `refused` where the
 * identity opens no key that is there, and where the store has authorities of the other kind (separate, single).
 */
export async function createAuthorities(context: PkiContext, why: string): Promise<readonly AuthoritySnapshot[]> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  for (const purpose of wantedPurposes(context, document)) {
    const entry = activeFor(document, purpose);
    if (entry === undefined) {
      requireOwn(context, purpose);
      await register(context, await makeAuthority(context, { document, purpose, status: 'active', why }));
    } else if (!(await loadAuthority(context.store, entry)).signsElsewhere) await openAuthority(context, entry);
  }
  const { authorities } = await readDocument(context.store);
  return Promise.all(inForce(authorities).map((each) => loadAuthority(context.store, each)));
}

/** Opens an authority's key in memory. Throws `refused` where there is none, or where it is not its certificate's. */
export async function openAuthority(context: PkiContext, entry: AuthorityEntry): Promise<Signer> {
  const { store } = context;
  const [authority, key] = await Promise.all([loadAuthority(store, entry), openKey(context, entry.key)]);
  if (key === undefined) throw keyless(context, entry, authority);
  if (spkiHash(key.publicKey.der) !== authority.facts.spkiSha256) {
    throw new QuorateError('refused', `${store.location}/${entry.key}: is not the key of ${entry.certificate}`, {
      hint: 'restore both from your backup or git',
    });
  }
  return signerOf(authority.certificate, key.sign);
}

function keyless(
  { store }: PkiContext,
  { key }: AuthorityEntry,
  { id, signsElsewhere }: AuthoritySnapshot,
): QuorateError {
  if (!signsElsewhere) {
    return new QuorateError('refused', `${store.location}/${key}: is missing, so nothing can be signed by ${id}`, {
      hint: 'restore it from your backup or git',
    });
  }
  return new QuorateError(
    'refused',
    `${id} signs elsewhere: its key was never here, so nothing can be signed by ${id}`,
    {
      hint: 'certificates of members and of the operator: quorate certs ca external request; of clients: have it sign them with its own tools (extended key usage clientAuth, common name = user of etcd)',
    },
  );
}

/** @throws QuorateError refused where the policy has this authority elsewhere: making one here would never be undone without a rotation */
function requireOwn({ policy, store }: PkiContext, purpose: AuthorityPurpose): void {
  if (!policy.external.includes(purpose)) return;
  throw new QuorateError(
    'refused',
    `${store.location}: the ${purpose} authority signs elsewhere (pki.external), and is not there yet`,
    {
      hint: 'quorate certs ca external request, have the requests signed, then quorate certs ca external install',
    },
  );
}

function inForce(authorities: readonly AuthorityEntry[]): readonly AuthorityEntry[] {
  return authorities.filter((each) => each.status !== 'retired');
}

/** The purposes of the policy. Retired authorities of the other kind are history. */
function wantedPurposes({ policy, store }: PkiContext, document: ClusterDocument): readonly AuthorityPurpose[] {
  const wanted: readonly AuthorityPurpose[] = policy.authorities === 'single' ? ['both'] : ['client', 'peer'];
  const other = inForce(document.authorities).find((each) => !wanted.includes(each.purpose));
  if (other === undefined) return wanted;
  throw new QuorateError(
    'refused',
    `${store.location}: has authority ${authorityId(other)}, but pki.authorities is ${policy.authorities}`,
    {
      hint: `set pki.authorities to ${policy.authorities === 'single' ? 'separate' : 'single'}, as this cluster was made`,
    },
  );
}

/** The one that signs; undefined where the purpose has none at all. Throws `refused` for a document that has some and none that signs. */
function activeFor({ authorities, name }: ClusterDocument, purpose: AuthorityPurpose): AuthorityEntry | undefined {
  const own = inForce(authorities).filter((each) => each.purpose === purpose);
  const active = own.find((each) => each.status === 'active');
  if (active !== undefined || own.length === 0) return active;
  throw new QuorateError('refused', `cluster ${name}: none of its ${purpose} authorities is active`, {
    hint: 'restore cluster.json from your backup or git',
  });
}

async function register(context: PkiContext, entry: AuthorityEntry): Promise<void> {
  await updateDocument(context.store, context.uuid, (document) => {
    const known = inForce(document.authorities).some((each) => each.purpose === entry.purpose);
    return known ? document : { ...document, authorities: [...document.authorities, entry] };
  });
}
