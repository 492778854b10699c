/** The authority of a running cluster among what its members trust: the certificate that belongs to a key. Pure. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import type { Use } from '../domain/pki-view.ts';
import { splitPem, tryParse } from '../pki/inspect.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { FoundHost } from './found.ts';
import { authorityKeys } from './look.ts';

/** An authority's certificate, and the others that stand beside it in the members' bundle. */
export interface ChosenAuthority {
  readonly certificate: string;
  /** Subjects. */
  readonly others: readonly string[];
}

/** PEM of everything that members trust on a port; '' where they trust nobody. */
export function trustedBy(hosts: readonly FoundHost[], use: Use): string {
  const [host] = hosts;
  return host?.details.certificates[host.member.settings[use].trustedCaFile] ?? '';
}

/** Whether two ports trust the same certificates. */
export function sameTrust(hosts: readonly FoundHost[]): boolean {
  const digests = (use: Use): string =>
    splitPem(trustedBy(hosts, use))
      .map((pem) => tryParse(pem)?.facts.sha256 ?? pem)
      .sort()
      .join();
  return digests('client') === digests('peer');
}

/** @throws QuorateError refused where the key is none, or belongs to nothing that members trust */
export function chooseAuthority(bundle: string, key: string): ChosenAuthority {
  const wanted = publicHash(key);
  const certificates = splitPem(bundle).map((pem) => ({ pem, facts: tryParse(pem)?.facts }));
  const own = certificates.find(({ facts }) => facts !== undefined && facts.spkiSha256 === wanted);
  if (own === undefined) {
    const subjects = certificates.map(({ facts }) => facts?.subject ?? '?').join('; ') || 'nobody';
    throw new QuorateError('refused', `the key is not that of an authority which the members trust (${subjects})`, {
      hint: 'name the key of that authority: --ca-key FILE, and --peer-ca-key FILE where peers have one of their own',
    });
  }
  const others = certificates.filter((each) => each !== own).map(({ facts }) => facts?.subject ?? '?');
  return { certificate: own.pem, others };
}

/** Where a host has a file that may be the authority's key: its first candidate that exists. */
export function keyOnHost(
  hosts: readonly FoundHost[],
  use: Use,
): { readonly host: string; readonly path: string } | undefined {
  for (const { host, member, details } of hosts) {
    const path = authorityKeys(member.settings[use].trustedCaFile).find((each) => details.seen[each] !== undefined);
    if (path !== undefined) return { host, path };
  }
  return undefined;
}

function publicHash(key: string): string {
  try {
    return spkiHash(createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' }));
  } catch (cause) {
    throw new QuorateError('refused', 'the authority’s key cannot be read', {
      cause,
      hint: 'a private key in PEM without a passphrase is wanted: --ca-key <(openssl pkey -in ca.key)',
    });
  }
}
