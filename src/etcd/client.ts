/** A client of one etcd endpoint: gRPC with mutual TLS over a stream that the caller opens, in plaintext only where that is allowed and nothing else is served. */
import type { Duplex } from 'node:stream';
import { QuorateError } from '../domain/errors.ts';
import type { MemberFact } from '../domain/facts.ts';
import type { Calls } from './calls.ts';
import { alertOf, EtcdError } from './etcd-error.ts';
import type { DowngradeInfo, Member, ResponseHeader } from './gen/rpc_pb.ts';
import { connectPlainly, connectSecurely, failed, isNoTls, type SecureOptions } from './secure.ts';

export interface EtcdOptions extends Omit<SecureOptions, 'alpn'> {
  /** For connecting, and for each call unless it says otherwise. */
  readonly timeoutMs: number;
  /** Whether an endpoint that does not speak TLS is asked in plaintext: a cluster that was made without, until it has certificates. Default: no. */
  readonly plaintext?: boolean | undefined;
}

/** IDs are 16 hexadecimal digits. Numbers above 2^53 lose precision. */
export interface EndpointStatus {
  readonly clusterId: string;
  readonly memberId: string;
  readonly version: string;
  /** '' before 3.6. */
  readonly storageVersion: string;
  /** The minor that the cluster is on its way down to, `3.6`; undefined where it is not, and before 3.6, which does not tell. */
  readonly downgradesTo: string | undefined;
  /** '0' for none. */
  readonly leaderId: string;
  readonly revision: number;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly dbSizeBytes: number;
  readonly dbInUseBytes: number;
  readonly learner: boolean;
  readonly errors: readonly string[];
  /** The cluster's alarms as `errors` tells them: listing them by their own call writes to the raft log. */
  readonly alarms: readonly Alarm[];
}

interface Alarm {
  readonly memberId: string;
  readonly kind: string;
}

/** Connects and shakes hands; throws EtcdError. Under TLS 1.3 a rejected client certificate shows at the first call. */
export async function connectEtcd(options: EtcdOptions): Promise<EtcdClient> {
  const { stream, servedCertificate } = await connect(options);
  const { createCalls } = await import('./calls.ts');
  return new EtcdClient(servedCertificate, createCalls(stream), options);
}

async function connect(options: EtcdOptions): Promise<{ readonly stream: Duplex; readonly servedCertificate: string }> {
  try {
    const stream = await connectSecurely({ ...options, alpn: ['h2'] });
    return { stream, servedCertificate: stream.getPeerX509Certificate()?.toString() ?? '' };
  } catch (error) {
    if (options.plaintext !== true || !isNoTls(error)) throw error;
    return { stream: await connectPlainly(options), servedCertificate: '' };
  }
}

/** Every call throws EtcdError: `etcd` with etcd's own words, or `tls`, `timeout`, `closed`. */
export class EtcdClient {
  /** PEM of the certificate that the endpoint showed in this connection; '' in plaintext. */
  readonly servedCertificate: string;
  readonly #calls: Calls;
  readonly #options: EtcdOptions;

  constructor(servedCertificate: string, calls: Calls, options: EtcdOptions) {
    this.servedCertificate = servedCertificate;
    this.#calls = calls;
    this.#options = options;
  }

  async status(): Promise<EndpointStatus> {
    const answer = await this.#call('status', (how) => this.#calls.maintenance.status({}, how));
    return {
      clusterId: toId(answer.header?.clusterId),
      memberId: toId(answer.header?.memberId),
      version: answer.version,
      storageVersion: answer.storageVersion,
      downgradesTo: downgradeTarget(answer.downgradeInfo),
      leaderId: answer.leader === 0n ? '0' : toId(answer.leader),
      revision: Number(answer.header?.revision ?? 0n),
      raftTerm: Number(answer.raftTerm),
      raftIndex: Number(answer.raftIndex),
      raftAppliedIndex: Number(answer.raftAppliedIndex),
      dbSizeBytes: Number(answer.dbSize),
      dbInUseBytes: Number(answer.dbSizeInUse),
      learner: answer.isLearner,
      errors: answer.errors,
      alarms: answer.errors.flatMap(toAlarm),
    };
  }

  /** `linearizable` asks the quorum (3.5 on); otherwise the endpoint's own view, which a member without quorum gives too. */
  async memberList(linearizable = false): Promise<readonly MemberFact[]> {
    const answer = await this.#call('member list', (how) => this.#calls.cluster.memberList({ linearizable }, how));
    return answer.members.map(toMember);
  }

  /** The new member's ID and the list with it. */
  async memberAdd(
    peerUrls: readonly string[],
    learner: boolean,
  ): Promise<{ readonly id: string; readonly members: readonly MemberFact[] }> {
    const request = { peerUrls: [...peerUrls], isLearner: learner };
    const answer = await this.#call('member add', (how) => this.#calls.cluster.memberAdd(request, how));
    return { id: toId(answer.member?.id), members: answer.members.map(toMember) };
  }

  async memberRemove(id: string): Promise<readonly MemberFact[]> {
    const answer = await this.#call('member remove', (how) =>
      this.#calls.cluster.memberRemove({ id: fromId(id) }, how),
    );
    return answer.members.map(toMember);
  }

  async memberUpdate(id: string, peerUrls: readonly string[]): Promise<void> {
    const request = { id: fromId(id), peerUrls: [...peerUrls] };
    await this.#call('member update', (how) => this.#calls.cluster.memberUpdate(request, how));
  }

  async memberPromote(id: string): Promise<void> {
    await this.#call('member promote', (how) => this.#calls.cluster.memberPromote({ id: fromId(id) }, how));
  }

  /** Takes back an alarm of a member (rpc.proto: AlarmRequest.DEACTIVATE, AlarmType.CORRUPT). */
  async disarm(id: string, alarm: 'CORRUPT'): Promise<void> {
    const request = { action: 2, memberId: fromId(id), alarm: alarm === 'CORRUPT' ? 2 : 0 };
    await this.#call('disarm', (how) => this.#calls.maintenance.alarm(request, how));
  }

  /** Commits an entry that changes nothing: alarms are listed through the raft log (v3_server.go, Alarm; AlarmRequest.GET). */
  async commitNothing(): Promise<void> {
    await this.#call('alarm list', (how) => this.#calls.maintenance.alarm({}, how));
  }

  /** Returns the revision of the write. */
  async put(key: string, value: string): Promise<number> {
    const request = { key: Buffer.from(key), value: Buffer.from(value) };
    const answer = await this.#call('put', (how) => this.#calls.kv.put(request, how));
    return revisionOf(answer.header);
  }

  /** The value, or undefined where there is none. `serializable` reads the member's own state, without asking the quorum. */
  async get(
    key: string,
    options: { readonly serializable?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<string | undefined> {
    const { serializable = false, timeoutMs = this.#options.timeoutMs } = options;
    const request = { key: Buffer.from(key), serializable };
    const what = serializable ? 'a serializable read' : 'a linearizable read';
    const answer = await this.#call(what, (how) => this.#calls.kv.range(request, { ...how, timeoutMs }));
    const value = answer.kvs[0]?.value;
    return value === undefined ? undefined : Buffer.from(value).toString('utf8');
  }

  /** Deletes one key; how many were there (0 or 1). */
  async delete(key: string): Promise<number> {
    const answer = await this.#call('delete', (how) => this.#calls.kv.deleteRange({ key: Buffer.from(key) }, how));
    return Number(answer.deleted);
  }

  /** Hash of this member's key space up to `revision` (0: the newest); members agree where the compact revision is the same. */
  async hashKv(
    revision = 0,
  ): Promise<{ readonly hash: number; readonly compactRevision: number; readonly revision: number }> {
    const request = { revision: BigInt(revision) };
    const answer = await this.#call('hash', (how) => this.#calls.maintenance.hashKV(request, how));
    return {
      hash: answer.hash,
      compactRevision: Number(answer.compactRevision),
      revision: revisionOf(answer.header),
    };
  }

  /** Only the leader obeys. */
  async moveLeader(targetId: string): Promise<void> {
    const request = { targetId: fromId(targetId) };
    await this.#call('move leader', (how) => this.#calls.maintenance.moveLeader(request, how));
  }

  /** Asks whether the cluster can go down to this minor (`3.6`), lets it, or lets it no more. */
  async downgrade(action: 'validate' | 'enable' | 'cancel', minor: string): Promise<void> {
    const request = { action: downgradeActions.indexOf(action), version: action === 'cancel' ? '' : minor };
    await this.#call(`downgrade ${action}`, (how) => this.#calls.maintenance.downgrade(request, how));
  }

  /** Blocks this member while it runs. */
  async defragment(timeoutMs: number): Promise<void> {
    await this.#call('defragment', (how) => this.#calls.maintenance.defragment({}, { ...how, timeoutMs }));
  }

  /** The database with its sha256 trailer, piece by piece; the last piece has nothing left. */
  async *snapshot(timeoutMs: number): AsyncIterable<{ readonly bytes: Uint8Array; readonly remainingBytes: number }> {
    // A clock of the call itself would keep the process alive where nobody reads on.
    const late = AbortSignal.timeout(timeoutMs);
    const over = new AbortController();
    const { host, signal } = this.#options;
    const signals = [late, over.signal, ...(signal === undefined ? [] : [signal])];
    try {
      const pieces = this.#calls.maintenance.snapshot({}, { signal: AbortSignal.any(signals) });
      for await (const each of pieces) yield { bytes: each.blob, remainingBytes: Number(each.remainingBytes) };
    } catch (error) {
      if (late.aborted) throw failed('timeout', host, 'no answer to snapshot in time', error);
      throw await this.#describe('snapshot', error);
    } finally {
      over.abort();
    }
  }

  close(): void {
    this.#calls.close();
  }

  #how() {
    const { timeoutMs, signal } = this.#options;
    return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  }

  async #call<T>(what: string, run: (how: { timeoutMs: number; signal?: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await run(this.#how());
    } catch (error) {
      throw await this.#describe(what, error);
    }
  }

  async #describe(what: string, error: unknown): Promise<QuorateError> {
    const { host, signal } = this.#options;
    if (signal?.aborted) return new QuorateError('interrupted', `${host}: interrupted`, { host });
    const alert = alertOf(this.#calls.broken()) ?? alertOf(error);
    if (alert !== undefined) return failed('tls', host, alert, error);
    const { grpcFailure } = await import('./calls.ts');
    const { status, reason, answered } = grpcFailure(error) ?? { status: '', reason: String(error), answered: false };
    if (!answered && status === 'DeadlineExceeded') {
      return failed('timeout', host, `no answer to ${what} in time`, error);
    }
    if (!answered) return failed('closed', host, `${what}: ${reason}`, error);
    return new EtcdError('etcd', `${host}: etcd refused ${what}: ${reason}`, { host, reason, status, cause: error });
  }
}

/** By etcd's own numbers (rpc.proto, DowngradeRequest.DowngradeAction). */
const downgradeActions = ['validate', 'enable', 'cancel'] as const;

function downgradeTarget(info: DowngradeInfo | undefined): string | undefined {
  if (info?.enabled !== true) return undefined;
  return /^\d+\.\d+/.exec(info.targetVersion)?.[0];
}

/**
 * etcdserver/api/v3rpc/maintenance.go, Status: each alarm's text form, `memberID:9372538179322589801 alarm:NOSPACE`. Without a member
 * it is `alarm:CORRUPT ` alone: etcd 3.4 raises that for the cluster when it cannot tell who is right.
 */
export function toAlarm(text: string): readonly Alarm[] {
  const [, member = '0', kind] = /^(?:memberID:\s*(\d{1,20})\s+)?alarm:\s*([A-Z]+)\s*$/.exec(text) ?? [];
  return kind === undefined ? [] : [{ memberId: toId(BigInt(member)), kind }];
}

function toMember(member: Member): MemberFact {
  const { id, name, peerUrls, clientUrls, isLearner } = member;
  return { id: toId(id), name, peerUrls, clientUrls, learner: isLearner };
}

function revisionOf(header: ResponseHeader | undefined): number {
  return Number(header?.revision ?? 0n);
}

function toId(id: bigint | undefined): string {
  return (id ?? 0n).toString(16).padStart(16, '0');
}

function fromId(id: string): bigint {
  return BigInt(`0x${id}`);
}
