/** A certificate for a client of etcd: what is asked for, and what comes back. */

export interface ClientOrder {
  /** What it is called in the store: lower-case letters, digits, dots, hyphens. */
  readonly name: string;
  /** etcd's user once RBAC is on. */
  readonly commonName: string;
  /** Empty for none. */
  readonly organization: string;
  readonly lifetimeMs: number;
  /** PEM of a signing request; undefined: the key is made here. */
  readonly csr: string | undefined;
  /** Whether CN=root is meant. */
  readonly allowRoot: boolean;
}

export interface IssuedClient {
  readonly name: string;
  /** PEM; the cross certificate of its authority behind it while that is served. */
  readonly certificate: string;
  /** PKCS#8 PEM, secret; undefined for a signing request. */
  readonly key: string | undefined;
  /** Lower-case hex. */
  readonly serial: string;
  /** Epoch milliseconds. */
  readonly notAfter: number;
  /** Whether not after was cut to the authority's own end. */
  readonly cut: boolean;
}
