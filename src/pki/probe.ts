/** A certificate that proves that members accept the peer authority: made in memory, for minutes, and in the journal like any other. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { openAuthority } from './authorities.ts';
import { chainFile } from './chain.ts';
import { type PkiContext, recordIssued, recordOf } from './context.ts';
import { issueLeaf } from './issue.ts';
import { readPublicKey, spkiHash } from './public-key.ts';
import { authorityEntry } from './signing.ts';
import { loadAuthority, readDocument, requireUuid } from './state.ts';

/** A proof takes seconds; a host's clock may be off by more than that. */
export const PROBE_LIFETIME_MINUTES = 15;

const MINUTES_PER_DAY = 24 * 60;

/** PEM texts; the key is secret and lies nowhere but in memory. */
export interface ProbeCertificate {
  /** With the cross certificate behind it while that is served, as members' own. */
  readonly cert: string;
  readonly key: string;
}

/**
 * Of the active peer authority, without SAN: etcd's peer port takes such a certificate from any address (a SAN would have to fit the sender), and no client
 * of etcd takes it for a server. For client authentication alone, which is all that a peer port asks for. undefined where another hand signs: the store has no
 * key of the peer authority.
 * @throws QuorateError refused where there is no peer authority, or its key is not opened
 */
export async function issueProbe(context: PkiContext, why: string): Promise<ProbeCertificate | undefined> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  const entry = authorityEntry(document, 'peer');
  const { id, hasKey, cross } = await loadAuthority(context.store, entry);
  if (!hasKey) return undefined;
  const signer = await openAuthority(context, entry);
  const { algorithm, organization, backdateMinutes } = context.policy;
  const key = await context.entropy.privateKey(algorithm);
  const spki = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
  const publicKey = readPublicKey(spki, algorithm);
  const sans = { dns: [], ip: [] };
  const commonName = 'quorate-probe';
  const leaf = issueLeaf(signer, {
    profile: { purpose: 'client', commonName, organization, sans, algorithm },
    publicKey,
    policy: { leafLifetimeDays: PROBE_LIFETIME_MINUTES / MINUTES_PER_DAY, backdateMinutes },
    serial: context.entropy.serial(),
    now: context.now(),
  });
  const origin = {
    purpose: 'peer',
    authority: id,
    commonName,
    sans,
    spkiSha256: spkiHash(spki),
    why,
  } as const;
  await recordIssued(context, [recordOf(context, leaf, origin)]);
  return { cert: chainFile(leaf.pem, cross), key };
}
