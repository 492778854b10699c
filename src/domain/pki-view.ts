/** What planners need to know of the PKI store: public data only, nothing decrypted. */
import type { OpenGoal } from './goal.ts';

/** What the store wants of an authority: `incoming` is trusted and signs nothing yet, `active` signs, `outgoing` is trusted and signs no more, `retired` is kept for the record. */
export const authorityStatuses = ['incoming', 'active', 'outgoing', 'retired'] as const;
export type AuthorityStatus = (typeof authorityStatuses)[number];

/** One certificate authority. */
export interface AuthorityView {
  /** `client-1`: how the journal, plans and steps name it. */
  readonly id: string;
  /** `client`, `peer`, or `both` where one authority does all. */
  readonly purpose: 'client' | 'peer' | 'both';
  readonly status: AuthorityStatus;
  /** Certificate, PEM. */
  readonly certificate: string;
  /** Its subject and key as signed by its predecessor, PEM, while leaves are served with that behind them; undefined: they are served alone. */
  readonly cross: string | undefined;
  /** Its cross certificate, PEM, also while that is not (or no longer) served; undefined: it has none. */
  readonly crossMade: string | undefined;
  /** Whether the store has its private key; absent: it has, or will have. */
  readonly hasKey?: boolean;
  /** Whether its key was never the store's, which is no loss: somebody else signs with it; absent: no. */
  readonly signsElsewhere?: boolean;
}

/** Who the cluster is, as the store has it. */
export interface StoredIdentity {
  readonly uuid: string;
  readonly token: string;
  /** RFC 3339: when it was first known to be formed, until it is given up; undefined: never. */
  readonly formedAt: string | undefined;
}

export interface PkiView {
  /** undefined until the store knows the cluster. */
  readonly identity: StoredIdentity | undefined;
  readonly authorities: readonly AuthorityView[];
  /** The operator's own client certificate, PEM; the cross certificate behind it while that is served. */
  readonly admin: string | undefined;
  /** What imperative verbs want to be true and is not known to be yet. */
  readonly goals: readonly OpenGoal[];
  /** Certificates that were signed elsewhere, PEM, by the sha256 of the public key (SPKI) that they are for; absent: none. */
  readonly external?: Readonly<Record<string, string>>;
  /** sha256 of the public key (SPKI) that the operator's own certificate was requested for, and that key, PEM; absent: it never was. */
  readonly adminKey?: string | undefined;
  readonly adminPublicKey?: string | undefined;
  /** Revocation lists that hosts are to hold (`client.crl`, `peer.crl`); a missing one is not wanted. */
  readonly crls?: Readonly<Partial<Record<Use, RevocationListView>>>;
  /** Serials of every certificate that was ever revoked, lower-case hex; absent: none. */
  readonly revoked?: readonly string[];
}

/** A revocation list as hosts hold it. */
export interface RevocationListView {
  /** DER, in base64. */
  readonly der: string;
  /** Of the DER, lower-case hex. */
  readonly sha256: string;
  /** ID of the authority that signed it. */
  readonly authority: string;
  /** Epoch milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Epoch milliseconds of the latest end of a revoked certificate that is not on it; 0: all are. */
  readonly lacksUntil: number;
}

/** What certificates are for: clients and servers, or peers. */
export type Use = 'client' | 'peer';

/** PEM bundle that clients and servers trust (`ca.crt`); '' while there is none. */
export function clientTrust(pki: PkiView): string {
  return bundleOf(trustedAuthorities(pki, 'client'));
}

/** PEM bundle that peers trust (`peer-ca.crt`); '' while there is none. */
export function peerTrust(pki: PkiView): string {
  return bundleOf(trustedAuthorities(pki, 'peer'));
}

/** Every authority for `use` that is not retired, in the order in which they were made. */
export function trustedAuthorities<T extends Pick<AuthorityView, 'purpose' | 'status'>>(
  { authorities }: { readonly authorities: readonly T[] },
  use: Use,
): readonly T[] {
  return authorities.filter((each) => each.status !== 'retired' && (each.purpose === use || each.purpose === 'both'));
}

/** The authority that signs for `use`; undefined while there is none. */
export function activeAuthority<T extends Pick<AuthorityView, 'purpose' | 'status'>>(
  pki: { readonly authorities: readonly T[] },
  use: Use,
): T | undefined {
  return trustedAuthorities(pki, use).find((each) => each.status === 'active');
}

/** Their certificates one after another, as a bundle on a host holds them; '' for none. */
export function bundleOf(authorities: readonly Pick<AuthorityView, 'certificate'>[]): string {
  return authorities.map((each) => `${each.certificate.trimEnd()}\n`).join('');
}

/**
 * Of these lists the one that the ports of `use` must have: that of the authority that signs now, else the newest, because etcd does not look at who
 * signed it; undefined where there is none.
 */
export function listFor<T extends { readonly authority: string; readonly thisUpdate: number }>(
  lists: readonly T[],
  authorities: readonly Pick<AuthorityView, 'id' | 'purpose' | 'status'>[],
  use: Use,
): T | undefined {
  const serves = (id: string): boolean => id.startsWith(`${use}-`) || id.startsWith('both-');
  const signer = activeAuthority({ authorities }, use)?.id;
  const own = lists.filter(({ authority }) => serves(authority));
  return own.find(({ authority }) => authority === signer) ?? own.toSorted((a, b) => b.thisUpdate - a.thisUpdate)[0];
}
