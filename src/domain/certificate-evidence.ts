/** Everything that can be known of a cluster's certificates without opening a private key: hosts, ports, the operator's store. */
import type { Cluster } from './cluster.ts';
import type { Facts } from './facts.ts';
import type { AuthorityStatus } from './pki-view.ts';

/** What a TLS port showed in a handshake just now. */
export type ServedFact =
  /** PEM of the leaf, and of what is served behind it. */
  | { readonly kind: 'certificate'; readonly pem: string }
  /** The handshake was ended by this alert, `internal error (80)`. */
  | { readonly kind: 'alert'; readonly alert: string }
  /** There was no handshake: nobody listens, or no way leads there. */
  | { readonly kind: 'silent'; readonly reason: string };

/** The two ports of a member. */
export interface ServedPorts {
  readonly client: ServedFact;
  readonly peer: ServedFact;
  /** Those of them that answered in plaintext; asked of ports without a handshake, and of client ports that are to serve both. */
  readonly plaintext?: readonly ('client' | 'peer')[];
}

/** One line of `issued.jsonl`, as far as judging needs it. */
export interface IssuedRecord {
  /** Lower-case hex. */
  readonly serial: string;
  readonly sha256: string;
  readonly commonName: string;
  readonly purpose: 'server' | 'peer' | 'client' | 'authority';
  /** What the client is called in the store; absent where it is none. */
  readonly client?: string | undefined;
  /** `client-1` */
  readonly authority: string;
  /** RFC 3339 */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly when: string;
  readonly who: string;
}

export interface StoredAuthority {
  /** `client-1` */
  readonly id: string;
  readonly purpose: 'client' | 'peer' | 'both';
  readonly status: AuthorityStatus;
  /** PEM. */
  readonly certificate: string;
  /** Its subject and key as signed by its predecessor, PEM; undefined: it has none. */
  readonly cross: string | undefined;
  /** Whether leaves are to be served with that behind them. */
  readonly crossServed: boolean;
  /** Key in the store, `ca/client-1.key.age`; undefined where the store holds none. */
  readonly key: string | undefined;
  /** age recipients that the key was encrypted to. */
  readonly recipients: readonly string[];
}

export interface StoredClient {
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
}

/** A revocation list in the store. */
export interface StoredList {
  /** Which authority signed it: `client-1`. */
  readonly authority: string;
  /** Of the DER, lower-case hex. */
  readonly sha256: string;
  readonly serials: number;
  /** Epoch milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** The public side of the operator's store, read as far as it can be read. */
export interface StoreEvidence {
  /** For people: a folder. */
  readonly location: string;
  /** undefined where the store holds no cluster. */
  readonly uuid: string | undefined;
  readonly authorities: readonly StoredAuthority[];
  /** The operator's own certificate, PEM. */
  readonly admin: string | undefined;
  /** Sorted by name; the operator's own is not among them. */
  readonly clients: readonly StoredClient[];
  /** undefined where it can't be read. */
  readonly issued: readonly IssuedRecord[] | undefined;
  /** Serials that were revoked, in lower-case hex; undefined where they can't be read. */
  readonly revoked?: readonly string[] | undefined;
  /** The revocation lists that were signed. */
  readonly lists?: readonly StoredList[] | undefined;
  /** What can't be read, a sentence each. */
  readonly problems: readonly string[];
}

export interface CertificateEvidence {
  readonly cluster: Cluster;
  /** Epoch milliseconds of the operator's clock. */
  readonly now: number;
  readonly facts: Pick<Facts, 'hosts' | 'unreachable'>;
  /** By controller name; every controller. */
  readonly served: Readonly<Record<string, ServedPorts>>;
  readonly store: StoreEvidence;
}
