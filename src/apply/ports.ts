/** What the executor needs from the rest: connections, the PKI, releases, etcd, and somebody to tell. */
import type { Cluster } from '../domain/cluster.ts';
import type { MemberHash } from '../domain/divergence.ts';
import type { Facts, HostFacts } from '../domain/facts.ts';
import type { PkiView } from '../domain/pki-view.ts';
import type { RunEvent } from '../domain/run-event.ts';
import type { Step } from '../domain/step.ts';
import type { VersionAnswer } from '../etcd/ask.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';

/** PEM certificates by purpose that were issued in this run and wait to be put on their member. */
export type IssuedLeaves = Readonly<Record<string, string>>;

/** Which release a host gets. */
export interface ReleaseName {
  readonly version: string;
  readonly architecture: string;
}

/** A release tarball on the operator's machine. */
export interface Release {
  readonly sha256: string;
  /** All of it, from memory once it has been read: with that sha256, whatever became of the file. @throws QuorateError refused */
  read(): Promise<Buffer>;
}

/** The operator's side: everything that needs the CA's key or the network of this machine. */
export interface OperatorPort {
  /** Performs a step whose host is the operator (all but cert.issue). */
  perform(step: Step, view: View, signal: AbortSignal): Promise<void>;
  /** Issues for all members in one go; by member, then by purpose. */
  issue(steps: readonly Step<'cert.issue'>[], view: View): Promise<Readonly<Record<string, IssuedLeaves>>>;
  /** The PKI as it is now. */
  pki(): Promise<PkiView>;
  /** A release that `release.fetch` has fetched in this run or an earlier one. */
  release(release: ReleaseName): Promise<Release>;
  /** Proves over new connections that these members serve and accept what their links and the store say. @throws QuorateError step-failed, every proof that failed */
  prove(members: readonly string[], view: View, signal: AbortSignal): Promise<void>;
  /** What these members tell of versions and readiness; one that does not answer is missing. */
  versions(
    members: readonly string[],
    view: View,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, VersionAnswer>>>;
  /** Hashes of these members' key spaces at one revision. @throws QuorateError where one does not answer */
  hashes(members: readonly string[], view: View, signal: AbortSignal): Promise<readonly MemberHash[]>;
  /** The part of a host's script that downloads a release there (`via: host`); undefined: it is pushed. */
  downloadScript(release: ReleaseName, target: string): Promise<string | undefined>;
}

/** Calls that change the cluster's list, each asked of the member on the host `via`. @throws QuorateError; etcd's own refusal is an EtcdError */
export interface MemberPort {
  /** As a learner. */
  add(via: string, peerUrls: readonly string[]): Promise<void>;
  promote(via: string, id: string): Promise<void>;
  remove(via: string, id: string): Promise<void>;
  /** Where the others dial a member. */
  update(via: string, id: string, peerUrls: readonly string[]): Promise<void>;
  /** Takes an alarm of a member back. */
  disarm(via: string, id: string, alarm: 'CORRUPT'): Promise<void>;
  /** Lets an entry be committed that changes nothing. */
  commitNothing(via: string): Promise<void>;
  /** Hashes of these hosts' members at one revision. */
  hashes(hosts: readonly string[]): Promise<readonly MemberHash[]>;
}

export interface HostProbe {
  /** POSIX sh */
  readonly script: string;
  /** @throws QuorateError step-failed, where the answer is not understood */
  parse(text: string, receivedAtMs: number): HostFacts;
}

export interface ExecutorPorts {
  readonly cluster: Cluster;
  readonly connections: Readonly<Record<string, Connection>>;
  readonly operator: OperatorPort;
  /**
   * The probe of a host: appended to every stage's script, so that one round trip both changes and observes. With what a look of this
   * run told of it (`known`) it asks for changes of files alone.
   */
  probe(host: string, known: HostFacts | undefined): HostProbe;
  /** The view for these facts and the PKI as it is. */
  view(facts: Facts, pki: PkiView): View;
  /** Probes these hosts and asks every endpoint anew, over new connections; what is not asked stays. Who cannot be reached is a fact. */
  look(facts: Facts, hosts: readonly string[]): Promise<Facts>;
  /** Lets `leader` hand its leadership to the member with this ID. @throws QuorateError */
  moveLeader(leader: string, targetId: string): Promise<void>;
  readonly members: MemberPort;
  /** To be asked before anything is changed, by whomever. @throws QuorateError locked, unreachable, where this run holds its lock no more on some host */
  requireLock(): void;
  /** Resolves after so many milliseconds; rejects once the run is aborted. */
  wait(ms: number): Promise<void>;
  emit(event: RunEvent): void;
  /** Appends a line to the run's journal on every host that it changes, and with the operator. */
  readonly signal: AbortSignal;
  /** Aborted by the first interrupt: stop after the step that runs, and at once where it only waits. */
  readonly stopping: AbortSignal;
  now(): number;
  /** Test hook: after this step or `stage:ID` the process ends itself by SIGKILL. */
  readonly failpoint: string | undefined;
}
