/** Which certificates a name or a serial means, and which of them must not be revoked. Pure. */
import type { IssuedRecord, StoreEvidence } from '../domain/certificate-evidence.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { leafOf } from '../pki/chain.ts';
import { tryParse } from '../pki/inspect.ts';
import { readSerial } from '../pki/revoked.ts';

/** A certificate that is to be revoked. */
export type SelectedCertificate = Pick<IssuedRecord, 'serial' | 'authority' | 'commonName' | 'notAfter' | 'purpose'>;

/**
 * Every certificate that is meant and has not ended or been revoked. A client's name means all that were ever issued to it: whoever holds an older one must
 * not keep it. A serial means any certificate of the journal. Throws `refused` for what nobody knows, for authorities, for the operator's own, and for what
 * a member serves or presents right now.
 */
export function selectRevoked(
  target: string,
  { store, facts, now }: { readonly store: StoreEvidence; readonly facts: Pick<Facts, 'hosts'>; readonly now: number },
): readonly SelectedCertificate[] {
  const issued = store.issued ?? [];
  const bySerial = isSerial(target) ? issued.filter((each) => each.serial === readSerial(target)) : [];
  const found = bySerial.length > 0 ? bySerial : issued.filter((each) => isClient(each, target));
  if (found.length === 0) throw unknown(target);
  const inUse = certificatesInUse(store, facts);
  for (const each of found) requireRevocable(each, inUse);
  const revoked = new Set(store.revoked ?? []);
  return found.filter((each) => Date.parse(each.notAfter) > now && !revoked.has(each.serial));
}

/** Lines of versions that did not note a client's name are known by their common name. */
function isClient({ purpose, client, commonName }: IssuedRecord, name: string): boolean {
  return purpose === 'client' && (client ?? commonName) === name;
}

function isSerial(text: string): boolean {
  return /^[0-9a-f:]{2,60}$/i.test(text) && text.replaceAll(':', '').length % 2 === 0;
}

/** Certificates that must go on working, by sha256. */
interface InUse {
  readonly onHosts: ReadonlyMap<string, { readonly host: string; readonly path: string }>;
  readonly admin: string | undefined;
}

/** What cannot be read is nobody's: a damaged file must not stand in the way of a revocation. */
function certificatesInUse({ admin }: StoreEvidence, { hosts }: Pick<Facts, 'hosts'>): InUse {
  const onHosts = Object.values(hosts).flatMap(({ host, certificates }) =>
    Object.entries(certificates)
      .filter(([path]) => /\/pki\/(?:server|peer|client)\.crt$/.test(path))
      .flatMap(([path, pem]) => {
        const leaf = tryParse(leafOf(pem));
        return leaf === undefined ? [] : [[leaf.facts.sha256, { host, path }] as const];
      }),
  );
  return { onHosts: new Map(onHosts), admin: tryParse(leafOf(admin ?? ''))?.facts.sha256 };
}

/** In words, whose it is. A host's word counts for its own certificates alone, as the journal has them: else it could keep a stolen one in force. */
function userOf({ sha256, purpose, commonName }: IssuedRecord, { onHosts, admin }: InUse): string | undefined {
  if (sha256 === admin) return "it is the operator's own";
  const use = onHosts.get(sha256);
  if (use === undefined) return undefined;
  const own = purpose === 'client' ? `quorate-${use.host}` : use.host;
  return commonName === own ? `${use.host} uses it: ${use.path}` : undefined;
}

function requireRevocable(record: IssuedRecord, inUse: InUse): void {
  const { serial, purpose, commonName } = record;
  if (purpose === 'authority') {
    throw new QuorateError('refused', `${serial}: is an authority (${commonName}), which no list takes back`, {
      hint: 'quorate certs rotate-ca replaces it, and ends the trust in it',
    });
  }
  const user = userOf(record, inUse);
  if (user === undefined) return;
  throw new QuorateError('refused', `${serial} (${commonName}): ${user}, and would be shut out`, {
    hint: 'give it another one first: quorate certs rotate; then revoke this one by its serial',
  });
}

function unknown(target: string): QuorateError {
  return new QuorateError('refused', `${target}: no certificate of that name or serial was issued here`, {
    hint: 'quorate certs client list shows all; the journal issued.jsonl has the serials of members',
  });
}
