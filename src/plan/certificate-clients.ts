/** Clients' certificates as the store and the journal know them, and the bundle that they trust. Pure. */
import type { IssuedRecord, StoreEvidence } from '../domain/certificate-evidence.ts';
import type { Cluster } from '../domain/cluster.ts';
import { readCertificate } from '../pki/inspect.ts';

export interface ListedClient extends Pick<IssuedRecord, 'commonName' | 'serial' | 'notAfter' | 'when' | 'who'> {
  /** Its name in the store; undefined where the store has another certificate, or none, in its place. */
  readonly name: string | undefined;
  /** `replaced`: still valid, and no longer the one in the store. */
  readonly state: 'current' | 'replaced' | 'expired';
}

/** Every client certificate ever issued, less the members' own; the newest first. */
export function listClients(
  { issued, clients, admin }: StoreEvidence,
  cluster: Cluster,
  now: number,
): readonly ListedClient[] {
  const stored = [...clients, ...(admin === undefined ? [] : [{ name: 'admin', certificate: admin }])];
  const names = new Map(stored.map((each) => [readCertificate(each.certificate).sha256, each.name]));
  const members = new Set(cluster.controllers.map(({ name }) => `quorate-${name}`));
  return (issued ?? [])
    .filter((each) => each.purpose === 'client' && !members.has(each.commonName))
    .map(({ sha256, commonName, serial, notAfter, when, who }) => {
      const name = names.get(sha256);
      const expired = Date.parse(notAfter) <= now;
      return { name, commonName, state: stateOf(name, expired), serial, notAfter, when, who };
    })
    .toReversed();
}

function stateOf(name: string | undefined, expired: boolean): ListedClient['state'] {
  if (expired) return 'expired';
  return name === undefined ? 'replaced' : 'current';
}

/** PEM of the authorities that clients and servers trust, or peers. */
export function authorityBundle({ authorities }: StoreEvidence, use: 'client' | 'peer'): string {
  return authorities
    .filter((each) => each.purpose === use || each.purpose === 'both')
    .map((each) => `${each.certificate.trimEnd()}\n`)
    .join('');
}
