/** Everything that can be known of a cluster's certificates without opening a private key: hosts, ports, the operator's store. */
import type { Cluster } from './cluster.ts';
import type { Facts } from './facts.ts';

/** What a TLS port showed in a handshake just now. */
export type ServedFact =
  /** PEM of the leaf. */
  | { readonly kind: 'certificate'; readonly pem: string }
  /** The handshake was ended by this alert, `internal error (80)`. */
  | { readonly kind: 'alert'; readonly alert: string }
  /** There was no handshake: nobody listens, or no way leads there. */
  | { readonly kind: 'silent'; readonly reason: string };

/** The two ports of a member that speak TLS. */
export interface ServedPorts {
  readonly client: ServedFact;
  readonly peer: ServedFact;
}

/** One line of `issued.jsonl`, as far as judging needs it. */
export interface IssuedRecord {
  /** Lower-case hex. */
  readonly serial: string;
  readonly sha256: string;
  readonly commonName: string;
  readonly purpose: 'server' | 'peer' | 'client' | 'authority';
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
  /** PEM. */
  readonly certificate: string;
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
