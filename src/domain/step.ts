/** A step: one typed change on one host, with its reason. A plan is made of these, and what is printed is what runs. */
import type { Architecture, KeyAlgorithm } from './cluster.ts';
import type { Goal } from './goal.ts';
import type { Use } from './pki-view.ts';
import { type LeafPurpose, leafPurposes } from './purpose.ts';
import type { RunWish } from './run-record.ts';

/** The host of steps that run with the operator. */
export const OPERATOR = 'operator';

/** Stands in a step's file content for the cluster's token, which no plan shows. */
export const TOKEN_PLACEHOLDER = '<token made by bootstrap>';

export { type LeafPurpose, leafPurposes };

/**
 * What becomes of a purpose's key in a new generation: a new one, that of the generation in use, that with its certificate as it is, or the one that was
 * made for a signing request.
 */
export type KeyWish = 'make' | 'keep' | 'carry' | 'requested';

/** What is wanted of one purpose in a generation. */
export interface LeafWish {
  readonly purpose: LeafPurpose;
  /** ID of the authority that signs it, `client-1`; judged against the store whenever it is asked. */
  readonly authority: string;
  /** Whether that authority's cross certificate stands behind it. */
  readonly cross: boolean;
  readonly key: KeyWish;
}

/** IDs of the authorities that each bundle holds, in its order. */
export type TrustWish = Readonly<Record<Use, readonly string[]>>;

interface DraftBase {
  readonly host: string;
  /** Why it is needed, for people. */
  readonly why: string;
}

interface StepBase extends DraftBase {
  /** Stable and unique in its plan: `stage/host/kind[:qualifier]`. */
  readonly id: string;
}

/** Nothing is done where the authority's certificate is another than that with the sha256 `replaces` already. */
export interface AuthorityRenewal {
  /** `client-1` */
  readonly id: string;
  /** Of its certificate's DER, lower-case hex. */
  readonly replaces: string;
}

interface Bodies {
  /** Gives the cluster its UUID and token in the PKI store. */
  'store.create': object;
  /** Makes the authorities that the policy asks for, keys encrypted at once. */
  'authority.make': { readonly purposes: readonly string[] };
  /** Makes the successors of the authorities that sign, and their cross certificates; trusted from then on. */
  'authority.succeed': { readonly ids: readonly string[] };
  /** Lets successors sign; their predecessors are trusted and sign no more. */
  'authority.activate': { readonly ids: readonly string[] };
  /** Ends the trust in authorities that sign no more. */
  'authority.retire': { readonly ids: readonly string[] };
  /** Wants certificates of these authorities served without the cross certificate. */
  'authority.uncross': { readonly ids: readonly string[] };
  /** Gives successors up: their predecessors sign again. */
  'authority.abandon': { readonly ids: readonly string[] };
  /** Successors take the places of authorities that have expired, which nothing can verify with any more. */
  'authority.replace': { readonly ids: readonly string[] };
  /** New dates for authorities' keys and subjects, all in one change of the store: an interruption leaves all of them old, or all of them new. */
  'authority.renew': { readonly renewals: readonly AuthorityRenewal[] };
  /** Registers an authority that signs elsewhere: the first of its purpose, or the successor of the one in force; trusted from then on. */
  'authority.import': {
    /** `client-1` */
    readonly authority: string;
    /** PEM. */
    readonly certificate: string;
    /** PEM of what is above it; '' for a root. */
    readonly chain: string;
  };
  /** Notes certificates that were signed elsewhere, and keeps them for the keys that they are for. */
  'certificate.accept': { readonly certificates: readonly AcceptedCertificate[] };
  /** Makes the operator's own key, so that a certificate can be requested for it. */
  'admin.key': object;
  /** Signs the revocation lists of these uses anew, with every serial that they must hold. */
  'revocation.refresh': { readonly uses: readonly Use[] };
  /** Issues the operator's own client certificate; `renew`: also where the one that is there is sound. */
  'admin.issue': { readonly renew?: true };
  /** Notes in the store what an imperative verb wants, so that a rerun goes on with it; in the place of `replaces`, where that is open. */
  'goal.set': { readonly goal: Goal; readonly replaces?: Goal };
  /** Takes a goal away that is met. */
  'goal.close': { readonly goal: Goal };
  /** Fetches a release to the operator's machine and checks its sha256. */
  'release.fetch': { readonly version: string; readonly architecture: Architecture; readonly from: string };
  /** Stops a distribution's etcd (`unit`; '' where ours runs under that name) and puts its packages on hold. */
  'package.hold': { readonly packages: readonly string[]; readonly unit: string };
  'user.ensure': { readonly user: string };
  'directory.ensure': { readonly path: string; readonly mode: string; readonly owner: string; readonly group: string };
  /** Puts a version's folder beside the others; `sha256` is the tarball's, '' where it is learnt on first use. */
  'binary.install': {
    readonly version: string;
    readonly architecture: Architecture;
    readonly directory: string;
    readonly names: readonly string[];
    readonly sha256: string;
    readonly from: string;
  };
  'binary.link': { readonly directory: string; readonly binDir: string; readonly names: readonly string[] };
  /**
   * Makes the folder of a generation that no link points to, takes over the keys that are kept from `from` (the generation in use, '' for none), and takes
   * keys away that an earlier run left and that are none of those wanted.
   */
  'generation.prepare': {
    readonly directory: string;
    readonly from: string;
    readonly leaves: readonly LeafWish[];
    readonly algorithm: KeyAlgorithm;
    readonly user: string;
  };
  /** Makes a member's private keys on the member, others than those in `from` ('' for none); only public keys come back. */
  'key.make': {
    readonly directory: string;
    readonly from: string;
    readonly purposes: readonly LeafPurpose[];
    readonly algorithm: KeyAlgorithm;
    readonly user: string;
  };
  /** Issues certificates for the public keys that the member shows. */
  'cert.issue': { readonly member: string; readonly directory: string; readonly leaves: readonly LeafWish[] };
  /** Puts certificates (issued in this run, or carried over from `from`), trust bundles and revocation lists beside their keys, and proves the pairs. */
  'pki.put': {
    readonly directory: string;
    readonly from: string;
    readonly leaves: readonly LeafWish[];
    readonly trust: TrustWish;
    readonly crls: readonly Use[];
  };
  /** Swaps the one link that etcd reads its certificates through. */
  'pki.switch': { readonly link: string; readonly target: string };
  /** Removes the generations in `folder` that `link` does not point to: old private keys do not lie about. */
  'generation.prune': {
    readonly folder: string;
    readonly link: string;
    readonly target: string;
    /** Keys of signing requests that are all in use now; absent: they stay. */
    readonly requests?: string;
  };
  'file.put': FilePut;
  /** Takes away what a turn that failed has put where nothing was. */
  'file.remove': { readonly path: string };
  /** Notes durably that this host takes part in forming this cluster. */
  'record.attempt': { readonly member: string };
  'unit.enable': { readonly unit: string };
  /** `new` is used once, from a copy of the configuration under /run that is gone with the next boot. */
  'unit.start': { readonly unit: string; readonly state: 'new' | 'existing'; readonly files: readonly FilePut[] };
  /**
   * Restarts a member whose start record is not as wished, or whose process is still that of the invocation `ends` ('' for none). Belongs in a
   * rolling stage; `outage` in a parallel one, where the members come back together without waiting for READY, and only while quorum is lost.
   */
  'unit.restart': {
    readonly unit: string;
    readonly wish: RunWish;
    /** The authorities whose bundles it is to be started with; absent: any. */
    readonly trust?: TrustWish;
    /** Path of the etcd that it is to be started with: another one with the same sha256 is as good; absent: any. */
    readonly binary?: string;
    /** The version of etcd that it is to run then: its gate is that of a change of version. Absent: whichever it ran. */
    readonly version?: string;
    readonly ends: string;
    readonly outage: boolean;
  };
  /** Waits until every member is up, agrees on one leader and is healthy. */
  'cluster.await': { readonly members: readonly string[] };
  /** Proves identity, agreement, mutual authentication and the certificates served. */
  'cluster.prove': { readonly members: readonly string[] };
  /**
   * Proves, over connections opened now, that each member serves and accepts on both ports what its link and the store say, and that each running member
   * trusts what each other one serves. `what`, for people: what this shows.
   */
  'certificates.prove': { readonly members: readonly string[]; readonly what: string };
  /** Proves that ports of these uses refuse a certificate on their revocation list, and accept one that only the list tells from it. */
  'revocation.prove': { readonly members: readonly string[]; readonly uses: readonly Use[] };
  /** Adds a controller to the cluster's list, as a learner. One that the list has by its peer URL is that member already. */
  'member.add': { readonly member: string; readonly peerUrl: string };
  /** Waits until a member that was added has started and follows the leader closely; it fails once nothing has moved for `stallMs`. */
  'member.await': { readonly member: string; readonly stallMs: number };
  /** Gives a learner its vote, as soon as etcd calls it in sync with the leader. */
  'member.promote': { readonly member: string; readonly stallMs: number };
  /** Takes a member (16 hexadecimal digits; `member` is what people call it) out of the list; where it leads, leadership is moved first. */
  'member.remove': { readonly member: string; readonly memberId: string };
  /**
   * Tells the cluster at which peer URLs a member (16 hexadecimal digits) is from its restart on. Belongs in that member's turn, and comes before its script:
   * the links that stand hold until the restart, and the others would dial the old address for ever after it.
   */
  'member.update': { readonly memberId: string; readonly peerUrls: readonly string[] };
  /** Moves leadership to a controller's member; '' for the best of the others. */
  'leader.move': { readonly to: string };
  /** Proves by hashes at one revision that all voters hold the same data. */
  'data.prove': object;
  /** Takes back the alarms of a member that the list no longer has; that of nobody in particular (etcd 3.4) too. */
  'alarm.disarm': { readonly memberId: string; readonly alarm: 'CORRUPT' };
  /** Saves a snapshot of the data with the operator, whole and checked; `version` is what runs then. */
  'snapshot.save': { readonly version: string };
  /** Proves that a hop from one version of etcd to another may begin: versions, roles, alarms, equal data, and what the new minor would not start with. */
  'version.check': { readonly from: string; readonly to: string };
  /** Waits until every member runs this version and the cluster's own version is its minor. */
  'version.await': { readonly version: string };
  /** Makes every member write its raft snapshot to disk, past every entry that there is now, so that a start reads none of those (3.6 alone, with a small snapshot-count). */
  'raft.snapshot': { readonly members: readonly string[] };
  /** Lets the cluster go down to this minor (`3.6`), and waits until every member's data has its form. */
  'downgrade.enable': { readonly minor: string };
  /** Lets the cluster go down no more. */
  'downgrade.cancel': object;
  /** Notes in the store that the cluster has been formed: from then on hosts without its data are never taken for new ones. */
  'formation.note': object;
  /** Takes that note away: the cluster was given up by name. */
  'formation.forget': object;
  /** "This cluster has been healthy": ends bootstrap on a host. */
  'marker.put': {
    readonly unit: string;
    readonly files: readonly string[];
    /** IDs of a cluster that was made elsewhere: they are not computed, and are told by its own list. */
    readonly adopted?: { readonly clusterId: string; readonly memberId: string };
  };
  'unit.stop': { readonly unit: string };
  'unit.disable': { readonly unit: string };
  /** Moves a member's data to a name of its own. */
  'data.aside': DataFolder;
  /** Stops the member and gives its data to the account that it is to run as; the turn's restart starts it again. */
  'data.own': DataFolder & { readonly unit: string; readonly user: string };
  'data.delete': DataFolder;
  /** Removes files, links and folders that quorate made. */
  'path.remove': { readonly paths: readonly string[] };
}

/** A certificate that was signed elsewhere. */
export interface AcceptedCertificate {
  /** A controller, or {@link OPERATOR}. */
  readonly holder: string;
  readonly purpose: LeafPurpose;
  /** ID of the authority that signed it. */
  readonly authority: string;
  /** SPKI, DER in base64. */
  readonly publicKey: string;
  /** The leaf, PEM. */
  readonly certificate: string;
}

/** A folder on a host in which etcd keeps data, and the one entry that is etcd's own: a disk may be mounted there, with others' files in it. */
export interface DataFolder {
  readonly path: string;
  readonly entry: 'member' | 'wal';
}

/** A file that lands on a host. */
export interface FilePut {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** May hold {@link TOKEN_PLACEHOLDER}. */
  readonly content: string;
}

export type StepKind = keyof Bodies;
/** A step without its id: what builders make before a stage names it. The default is the union of all kinds. */
export type Draft<K extends StepKind = StepKind> = { [P in K]: DraftBase & { readonly kind: P } & Bodies[P] }[K];
export type Step<K extends StepKind = StepKind> = { [P in K]: StepBase & { readonly kind: P } & Bodies[P] }[K];
