/** Which authorities judge a member's certificates: those of the operator's store, or else the bundle on the host itself. Pure. */
import type { CertificateEvidence } from '../domain/certificate-evidence.ts';
import { pkiLink } from '../domain/layout.ts';
import { type ParsedCertificate, splitPem } from '../pki/inspect.ts';
import type { Judging } from './certificate-row.ts';

export interface Trust {
  /** Empty where nothing is known. */
  readonly authorities: readonly ParsedCertificate[];
  /** Whether they are the operator's: what they have signed must stand in the journal. */
  readonly known: boolean;
}

/** What a port's certificates must come from; `host` names the controller whose bundle is taken where the store has nothing. */
export function trustOf(
  evidence: CertificateEvidence,
  { use, host }: { readonly use: 'client' | 'peer'; readonly host: string | undefined },
  { read }: Pick<Judging, 'read'>,
): Trust {
  const own = authoritiesFor(evidence, use, read).map((each) => each.parsed);
  if (own.length > 0 || host === undefined) return { authorities: own, known: own.length > 0 };
  const file = `${pkiLink(evidence.cluster)}/${use === 'client' ? 'ca' : 'peer-ca'}.crt`;
  const blocks = splitPem(evidence.facts.hosts[host]?.certificates[file] ?? '');
  return { authorities: blocks.flatMap((each) => read(each) ?? []), known: false };
}

/** The store's authorities for clients and servers, or for peers. */
export function authoritiesFor({ store }: CertificateEvidence, use: 'client' | 'peer', read: Judging['read']) {
  return store.authorities
    .filter((each) => each.purpose === use || each.purpose === 'both')
    .flatMap(({ id, certificate }) => {
      const parsed = read(certificate);
      return parsed === undefined ? [] : [{ id, parsed }];
    });
}
