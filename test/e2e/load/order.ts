/** What the load process is told and what it tells: JSON between two processes. */

/** One member's client port, as clients outside the lab's hosts see it. */
export interface Endpoint {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Paths of PEM files, and whether each is read once, at the start, or again at every handshake. */
export interface MaterialOrder {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Trusts what it read at its start for good, as a kube-apiserver does. */
  readonly keepsCa: boolean;
  /** Shows the certificate that it read at its start for good. */
  readonly keepsLeaf: boolean;
}

export interface ClientOrder {
  /** Names its keys and its figures. */
  readonly name: string;
  /** `persistent` holds one connection a member and opens another when one ends; `fresh` shakes hands for each request. */
  readonly connections: 'persistent' | 'fresh';
  readonly does: 'write' | 'read';
  readonly perSecond: number;
  readonly material: MaterialOrder | 'plaintext';
}

export interface LoadOrder {
  readonly endpoints: readonly Endpoint[];
  /** Keys of this run begin with it, and nothing else in the store does. */
  readonly prefix: string;
  readonly clients: readonly ClientOrder[];
  /** Whose stores are read at the end; undefined: those of the endpoints. */
  readonly verifyAt?: readonly Endpoint[];
  /** With what the store is read at the end. */
  readonly verifyWith: MaterialOrder;
  /** One attempt at one member, connecting included. */
  readonly attemptMs: number;
  /** A request that no member has acknowledged by then has failed. */
  readonly boundMs: number;
  /** The process ends itself then, whatever happens to the test that started it. */
  readonly lifeMs: number;
}

/** A line that the process reads: the name of the phase that begins, of a client that is to stop, or the end. */
export type LoadCommand = { readonly phase: string } | { readonly retire: string } | { readonly end: true };

/** A line that it writes. */
export type LoadEvent =
  | { readonly event: 'running' }
  | { readonly event: 'phase'; readonly ended: PhaseFigures }
  | { readonly event: 'retired' }
  | { readonly event: 'report'; readonly report: LoadReport };

/** Number of retries by what made them necessary: `refused: connect ECONNREFUSED`, `tls: unknown CA (48)`. */
export type Causes = Readonly<Record<string, number>>;

export interface PhaseFigures {
  readonly name: string;
  readonly seconds: number;
  readonly acknowledged: number;
  /** Writes and reads that no member answered within the bound. */
  readonly failed: number;
  readonly reads: number;
  /** Reads that did not show what had been acknowledged before they began. */
  readonly stale: number;
  /** Between two acknowledged writes of any client, in milliseconds of the monotonic clock. */
  readonly longestGapMs: number;
  /** When that gap began, from the start of the phase. */
  readonly gapAtMs: number;
  /** How long the load's own process did nothing at all: a gap is etcd's only beyond this. */
  readonly ownPauseMs: number;
  readonly clients: readonly ClientFigures[];
}

export interface ClientFigures {
  readonly name: string;
  readonly done: number;
  readonly failed: number;
  readonly longestGapMs: number;
  readonly retries: Causes;
}

export interface LoadReport {
  /** Everything from the start to the end. */
  readonly total: PhaseFigures;
  readonly phases: readonly PhaseFigures[];
  /** The first requests that failed, each with the causes of its attempts. */
  readonly failures: readonly string[];
  readonly store: StoreVerdict;
}

export interface StoreVerdict {
  /** Acknowledged writes that were looked for on each member. */
  readonly looked: number;
  /** Acknowledged writes that are missing or have another value, by member and kind of read; the first ones by name. */
  readonly lost: number;
  readonly examples: readonly string[];
  /** Keys below the prefix that nobody wrote. */
  readonly strangers: number;
  readonly revision: number;
  /** hashKv of each member at that revision. */
  readonly hashes: Readonly<Record<string, number>>;
  readonly hashesEqual: boolean;
}
