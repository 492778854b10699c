/** Which certificates a name or a serial means, and which of them must not be revoked. Pure. */
import type { IssuedRecord, StoreEvidence } from '../domain/certificate-evidence.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { readCertificate, splitPem } from '../pki/inspect.ts';
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
  const inUse = serialsInUse(store, facts);
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

/** By serial: whose it is, in words. */
function serialsInUse({ admin }: StoreEvidence, { hosts }: Pick<Facts, 'hosts'>): ReadonlyMap<string, string> {
  const onHosts = Object.values(hosts).flatMap(({ host, certificates }) =>
    Object.entries(certificates)
      .filter(([path]) => /\/pki\/(?:server|peer|client)\.crt$/.test(path))
      .flatMap(([path, pem]) =>
        splitPem(pem)
          .slice(0, 1)
          .map((leaf) => [serialOf(leaf), `${host} uses it: ${path}`] as const),
      ),
  );
  const own = admin === undefined ? [] : [[serialOf(splitPem(admin)[0] ?? admin), "it is the operator's own"] as const];
  return new Map([...onHosts, ...own]);
}

function serialOf(pem: string): string {
  return readCertificate(pem).serial;
}

function requireRevocable({ serial, purpose, commonName }: IssuedRecord, inUse: ReadonlyMap<string, string>): void {
  if (purpose === 'authority') {
    throw new QuorateError('refused', `${serial}: is an authority (${commonName}), which no list takes back`, {
      hint: 'quorate certs rotate-ca replaces it, and ends the trust in it',
    });
  }
  const user = inUse.get(serial);
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
