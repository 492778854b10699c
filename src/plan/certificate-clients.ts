/** Clients' certificates as the store and the journal know them, and the bundle that they trust. Pure. */
import type { IssuedRecord, StoreEvidence } from '../domain/certificate-evidence.ts';
import { bundleOf, trustedAuthorities, type Use } from '../domain/pki-view.ts';
import { leafOf } from '../pki/chain.ts';
import { readCertificate } from '../pki/inspect.ts';

export interface ListedClient
  extends Pick<IssuedRecord, 'commonName' | 'serial' | 'notAfter' | 'when' | 'who' | 'authority'> {
  /** Its name in the store; undefined where the store has another certificate, or none, in its place. */
  readonly name: string | undefined;
  /** `replaced`: still valid, and no longer the one in the store. */
  readonly state: 'current' | 'replaced' | 'revoked' | 'expired';
}

/** Every client certificate ever issued, less the members' own and those made for proofs; the newest first. */
export function listClients({ issued, clients, admin, revoked }: StoreEvidence, now: number): readonly ListedClient[] {
  const stored = [...clients, ...(admin === undefined ? [] : [{ name: 'admin', certificate: admin }])];
  const names = new Map(stored.map((each) => [readCertificate(leafOf(each.certificate)).sha256, each.name]));
  const gone = new Set(revoked ?? []);
  return (issued ?? [])
    .filter((each) => each.purpose === 'client' && !each.commonName.startsWith('quorate-'))
    .map(({ sha256, commonName, serial, notAfter, when, who, authority }) => {
      const name = names.get(sha256);
      const expired = Date.parse(notAfter) <= now;
      return {
        name,
        commonName,
        state: stateOf(name, expired, gone.has(serial)),
        serial,
        notAfter,
        when,
        who,
        authority,
      };
    })
    .toReversed();
}

/**
 * Clients that have nothing newer than a certificate of this authority that is still valid: they are refused once it is trusted no more. The members' own
 * are not among them.
 */
export function holdersOf({ issued }: StoreEvidence, authority: string, now: number): readonly IssuedRecord[] {
  const clients = (issued ?? []).filter((each) => each.purpose === 'client' && !each.commonName.startsWith('quorate-'));
  const newest = new Map(clients.map((each) => [`${each.client ?? ''} ${each.commonName}`, each]));
  return [...newest.values()].filter((each) => each.authority === authority && Date.parse(each.notAfter) > now);
}

function stateOf(name: string | undefined, expired: boolean, revoked: boolean): ListedClient['state'] {
  if (expired) return 'expired';
  if (revoked) return 'revoked';
  return name === undefined ? 'replaced' : 'current';
}

/** PEM of the authorities that clients and servers trust, or peers. */
export function authorityBundle(store: StoreEvidence, use: Use): string {
  return bundleOf(trustedAuthorities(store, use));
}
