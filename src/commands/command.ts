/** The shape of a verb. Each is one file; index.ts is the table, and a verb's file is loaded when it runs. */

import type { CertificateEvidence, StoreEvidence } from '../domain/certificate-evidence.ts';
import type { ClientOrder, IssuedClient } from '../domain/client-order.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { MemberHash } from '../domain/divergence.ts';
import type { QuorateError } from '../domain/errors.ts';
import type { JournalLine, JournalWish } from '../domain/journal.ts';
import type { MetricsFacts } from '../domain/metrics.ts';
import type { AuthorityStatus } from '../domain/pki-view.ts';
import type { Plan } from '../domain/plan.ts';
import type { AuthorityOffer } from '../pki/import-check.ts';
import type { KeyStore } from '../pki/pkcs12.ts';
import type { Revocation } from '../pki/revoked.ts';
import type { KeySigning } from '../pki/signing-request.ts';
import type { View } from '../plan/view.ts';
import type { AdoptionPort } from './adoption-port.ts';
import type { FilePort } from './file-port.ts';
import type { LabPort } from './lab-port.ts';

/** A verb's entry in the table: all that `--help` needs. */
export interface CommandEntry {
  /** `status`, or `lab up` below a group. */
  readonly name: string;
  readonly summary: string;
  /** `[user@]host[:port]...`; '' for none. */
  readonly argument: string;
  readonly options: readonly OptionEntry[];
  readonly example: string;
  readonly load: () => Promise<Verb>;
}

export interface OptionEntry {
  /** `--out FILE`, `-i, --inventory FILE`, `--yes`. */
  readonly flags: string;
  readonly description: string;
}

/** What a verb is called with. Option names are in camel case. */
export interface Invocation {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Runs and gives the exit status. */
export type Verb = (invocation: Invocation, ports: Ports) => Promise<number>;

/** What verbs may do. */
export interface Ports {
  readonly ui: VerbUi;
  now(): number;
  /** The inventory of `-i`, `QUORATE_INVENTORY` or ./quorate.yml, resolved. */
  cluster(): Promise<Cluster>;
  /** The inventory at a path; undefined: the one that cluster() takes. */
  clusterAt(path: string | undefined): Promise<Cluster>;
  /** Connects and observes. The session must be closed. */
  session(cluster: Cluster, wish: SessionWish): Promise<Session>;
  /** Connects to members' hosts and reads their journals. @throws QuorateError unreachable where no host is left */
  journals(cluster: Cluster, wish: JournalsWish): Promise<Journals>;
  /** Everything that can be known of the cluster's certificates without a private key; a host that can't be reached is a fact. */
  certificateEvidence(cluster: Cluster): Promise<CertificateEvidence>;
  /** The public side of the state directory, read as far as it can be read. */
  storeEvidence(cluster: Cluster): Promise<StoreEvidence>;
  /** Issues a client's certificate: in the journal and the store before it comes back. @throws QuorateError refused */
  issueClient(cluster: Cluster, order: ClientOrder): Promise<IssuedClient>;
  /**
   * Notes that these are revoked, and signs the lists that follow from it; nothing is brought to the hosts. @throws QuorateError refused
   */
  revoke(cluster: Cluster, revocations: readonly Revocation[]): Promise<void>;
  /** Takes an authority in that was made elsewhere. @throws QuorateError refused */
  importAuthority(cluster: Cluster, wish: AuthorityImport): Promise<ImportedAuthority>;
  /** The signing request for the operator's own key, PEM. @throws QuorateError refused */
  adminRequest(cluster: Cluster): Promise<string>;
  /** Encrypts every private key of the state directory to others. @throws QuorateError refused */
  rekeyCustody(
    cluster: Cluster,
    wish: RekeyWish,
  ): Promise<{ readonly keys: readonly string[]; readonly recipients: readonly string[] }>;
  /** A PKCS #12 file. */
  keyStore(store: KeyStore, passphrase: string): Promise<Uint8Array>;
  /** A tar.gz of these files, without any secret that this process knows or recognises, `secrets` among them. */
  bundle(folder: string, files: readonly BundleFile[], secrets: readonly string[]): Promise<Uint8Array>;
  /** The operator's certificate for etcd, decrypted in memory; undefined where there is none yet. */
  credentials(cluster: Cluster): Promise<Credentials | undefined>;
  /** Files that would land on each host, without connecting. */
  render(cluster: Cluster): Promise<Readonly<Record<string, readonly RenderedFile[]>>>;
  /** Names and addresses of hosts that are in no inventory yet, in the order of the targets. */
  discover(
    targets: readonly HostTarget[],
  ): Promise<
    readonly ({ readonly hostname: string; readonly addresses: readonly string[] } | { readonly failure: string })[]
  >;
  readonly adoption: AdoptionPort;
  lab(): Promise<LabPort>;
  /** The same ports for other options of the command line. */
  withOptions(options: Invocation['options']): Ports;
  readonly files: FilePort;
  readonly operator: OperatorFacts;
}

export interface JournalsWish extends JournalWish {
  /** Names of controllers. */
  readonly members: readonly string[];
}

/** Journals that are being read. Must be closed. */
export interface Journals {
  /** Lines of all hosts by time, without secrets; read no faster than they are taken. */
  readonly lines: AsyncIterable<JournalLine>;
  /** One for each host that could not be reached, or whose journal could not be read (on): complete once the lines have ended. */
  readonly failures: readonly QuorateError[];
  /** Whether somebody ended it by a signal. */
  interrupted(): boolean;
  close(): Promise<void>;
}

/** What only diagnosing asks, over the connections of a session. Hosts are names of controllers. */
export interface Inquiry {
  /** Journals that end, by time; `failures` is complete once the lines have ended. */
  journals(
    hosts: readonly string[],
    wish: JournalWish,
  ): { readonly lines: AsyncIterable<JournalLine>; readonly failures: readonly QuorateError[] };
  certificates(): Promise<CertificateEvidence>;
  /** Members whose metrics can't be read are left out. */
  metrics(): Promise<{ readonly texts: Readonly<Record<string, string>>; readonly facts: MetricsFacts }>;
  /** Hashes of these members' key spaces at one revision. @throws QuorateError where one does not answer */
  hashes(hosts: readonly string[]): Promise<readonly MemberHash[]>;
  /** Everything that bootstrap proves; what does not hold is returned. @throws QuorateError where one of these does not answer */
  prove(hosts: readonly string[], options: { readonly readOnly: boolean }): Promise<readonly QuorateError[]>;
}

/** A file of a support archive; JSON is redacted value by value. */
export interface BundleFile {
  readonly name: string;
  readonly content: string | { readonly json: unknown };
}

export interface AuthorityImport {
  readonly purpose: 'client' | 'peer' | 'both';
  readonly offer: AuthorityOffer;
}

export interface ImportedAuthority {
  /** `client-1` */
  readonly id: string;
  readonly status: AuthorityStatus;
  readonly subject: string;
  readonly warnings: readonly string[];
}

export interface RekeyWish {
  /** age recipients; empty: the inventory's. */
  readonly recipients: readonly string[];
  /** Path of an identity file that is to open everything; made where there is none. */
  readonly toIdentity: string | undefined;
  /** Whether a passphrase is to open everything. */
  readonly passphrase: boolean;
}

/** A host as `init` is given it. */
export interface HostTarget {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

/** PEM texts. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface RenderedFile {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly content: string;
}

export interface OperatorFacts {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

export interface SessionWish {
  /** Whether etcd is asked too, with the operator's certificate. */
  readonly endpoints: boolean;
  /** Whether a host that cannot be reached ends it (all of them are told), or is a fact. */
  readonly requireAll: boolean;
  /** Whether an election that is going on is waited out, for a few seconds, before anybody is refused for want of a leader. */
  readonly settled?: true;
  /**
   * The view knows what other versions of etcd want, and whether raft logs hold what 3.7 cannot read: `any` looks on every host, `inventory` where the
   * inventory's version is to start and another one is linked. Absent: neither.
   */
  readonly versions?: 'any' | 'inventory';
}

/** Open connections to the hosts of a cluster, and what was seen. */
export interface Session {
  readonly view: View;
  /** One error for each host that could not be reached. */
  readonly failures: readonly QuorateError[];
  readonly inquiry: Inquiry;
  /** Refuses what cannot be built on; warnings are told. @throws QuorateError refused; unreachable where sshd forbids tunnels */
  preflight(): Promise<void>;
  /** Looks again; at hosts that the run before ended with a look at, no second time. */
  refresh(): Promise<View>;
  /** Shows the plan with the diffs of its files. */
  show(plan: Plan, to: 'stdout' | 'stderr'): Promise<void>;
  /** The plan as a JSON value without secrets. */
  toJson(plan: Plan): unknown;
  /**
   * Takes the lock, looks again, runs the plan if `replan` still gives the same steps, and gives the lock back.
   * @throws QuorateError stale-plan where the hosts have changed since the plan was shown
   */
  apply(plan: Plan, replan: (view: View) => Plan): Promise<void>;
  /** Signs each text with a private key on the host, which never leaves it. @throws QuorateError refused where the host cannot */
  sign(host: string, texts: readonly KeySigning[]): Promise<readonly Uint8Array[]>;
  /** Releases locks whose owner is gone; what was found, host by host. */
  unlock(): Promise<
    readonly { readonly host: string; readonly outcome: 'none' | 'released' | 'held'; readonly text: string }[]
  >;
  close(): Promise<void>;
}

/** The part of the terminal that verbs use. */
export interface VerbUi {
  readonly mode: 'live' | 'plain' | 'json' | 'quiet';
  readonly interactive: boolean;
  out(text: string): void;
  json(value: unknown): void;
  table(table: VerbTable): void;
  /** A line on stdout in every mode: for streams of JSON documents. */
  line(text: string): void;
  /** Resolves once stdout takes more; false where its reader has gone, and nothing more needs to be said. */
  drained(): Promise<boolean>;
  note(text: string): void;
  warn(text: string): void;
  /** @throws QuorateError usage off a terminal, naming the flag to give instead. */
  confirm(confirmation: {
    readonly question: string;
    readonly expect: string;
    readonly instead: string;
  }): Promise<boolean>;
  askText(question: {
    readonly question: string;
    readonly instead: string;
    readonly initial?: string;
  }): Promise<string>;
}

export interface VerbTable {
  readonly columns: readonly {
    readonly title: string;
    readonly align?: 'left' | 'right';
    readonly optional?: boolean;
  }[];
  readonly rows: readonly (readonly VerbCell[])[];
}
export type VerbCell = string | { readonly text: string; readonly level: 'good' | 'warn' | 'bad' | 'faint' };

/** An option that is a flag. */
export function flag(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true;
}

/** An option that takes a value; undefined where it was not given. */
export function value(invocation: Invocation, name: string): string | undefined {
  const found = invocation.options[name];
  return typeof found === 'string' ? found : undefined;
}

/** An option that takes several values; empty where it was not given. */
export function values(invocation: Invocation, name: string): readonly string[] {
  const found = invocation.options[name];
  return Array.isArray(found) ? found.map(String) : [];
}
