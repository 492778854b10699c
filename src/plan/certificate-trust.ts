/** Which authorities judge a member's certificates: those of the operator's store, or else the bundle on the host itself. Pure. */
import type { CertificateEvidence, StoredAuthority } from '../domain/certificate-evidence.ts';
import { pkiLink } from '../domain/layout.ts';
import { trustedAuthorities, type Use } from '../domain/pki-view.ts';
import type { WantedChain } from '../pki/drift.ts';
import { type ParsedCertificate, splitPem } from '../pki/inspect.ts';
import type { Judging } from './certificate-row.ts';

/** What a chain is judged by. */
export interface Trust extends Pick<WantedChain, 'issuer' | 'trusted' | 'cross'> {
  /** Whether they are the operator's: what they have signed must stand in the journal. */
  readonly known: boolean;
  /** Authorities of ours that are trusted no more. */
  readonly retired: readonly KnownAuthority[];
}

export interface KnownAuthority {
  /** `client-1` */
  readonly id: string;
  readonly parsed: ParsedCertificate;
}

/** What a port's certificates must come from; `host` names the controller whose bundle is taken where the store has nothing. */
export function trustOf(
  evidence: CertificateEvidence,
  { use, host }: { readonly use: Use; readonly host: string | undefined },
  { read }: Pick<Judging, 'read'>,
): Trust {
  const own = trustedBy(evidence, use, read);
  if (own.length > 0 || host === undefined) return ownTrust(evidence, use, read);
  const file = `${pkiLink(evidence.cluster)}/${use === 'client' ? 'ca' : 'peer-ca'}.crt`;
  const blocks = splitPem(evidence.facts.hosts[host]?.certificates[file] ?? '');
  const trusted = blocks.flatMap((each) => read(each) ?? []);
  return { trusted, issuer: undefined, cross: 'any', known: false, retired: [] };
}

/** The store's authorities that are trusted for clients and servers, or for peers. */
export function trustedBy({ store }: CertificateEvidence, use: Use, read: Judging['read']): readonly KnownAuthority[] {
  return known(trustedAuthorities(store, use), read);
}

/** Those that were. */
export function retiredFor({ store }: CertificateEvidence, use: Use, read: Judging['read']): readonly KnownAuthority[] {
  const retired = store.authorities.filter((each) => each.status === 'retired');
  return known(
    retired.filter((each) => each.purpose === use || each.purpose === 'both'),
    read,
  );
}

function ownTrust(evidence: CertificateEvidence, use: Use, read: Judging['read']): Trust {
  const trusted = trustedAuthorities(evidence.store, use);
  const active = trusted.find((each) => each.status === 'active');
  const cross = active?.crossServed === true ? read(active.cross ?? '') : undefined;
  return {
    trusted: known(trusted, read).map((each) => each.parsed),
    issuer: active && read(active.certificate),
    cross: cross ?? 'none',
    known: trusted.length > 0,
    retired: retiredFor(evidence, use, read),
  };
}

function known(authorities: readonly StoredAuthority[], read: Judging['read']): readonly KnownAuthority[] {
  return authorities.flatMap(({ id, certificate }) => {
    const parsed = read(certificate);
    return parsed === undefined ? [] : [{ id, parsed }];
  });
}
