/** What etcd's configuration file knows, by minor: read from embed/config.go of every release 3.4.0–3.4.45, 3.5.0–3.5.35, 3.6.0–3.6.16, 3.7.0–3.7.3. */
import type { Minor } from './version.ts';

/** How a value is written by the operator and rendered; an array lists the only values that etcd takes. */
export type EtcdKeyType =
  | 'string'
  | 'bool'
  | 'uint'
  | 'int'
  /** `5s` or integer nanoseconds → integer nanoseconds (etcd-io/etcd#12634). */
  | 'duration'
  /** `100ms` or an integer → integer milliseconds. */
  | 'milliseconds'
  /** `8GiB` or an integer → integer bytes. */
  | 'bytes'
  /** `8h`, `"1000"` or an integer → always a string. */
  | 'retention'
  | 'string-list'
  /** A list or one comma-separated string → one comma-separated string. */
  | 'comma-list'
  | 'socket-options'
  | readonly string[];

export interface EtcdKeyRow {
  readonly type: EtcdKeyType;
  /** `*` alone, or URLs with their ports: etcd panics at any other (pkg/flags, NewUniqueURLsWithExceptions). */
  readonly origins?: true;
  /** First minor that has the key under its own name; default 3.4. */
  readonly from?: Minor;
  /** Last minor that has it; default: all. */
  readonly until?: Minor;
  /** First minor that has it as `experimental-KEY` (up to the one before `from`). */
  readonly experimentalFrom?: Minor;
  /** The experimental name where it is not `experimental-KEY`. */
  readonly experimentalName?: string;
  /** Patch releases that brought the key into a minor that was already out: earlier ones ignore it without a word. */
  readonly firstPatch?: Readonly<Partial<Record<Minor, number>>>;
}

const tracing = { from: '3.6', experimentalFrom: '3.5' } as const;
const tlsVersions = { firstPatch: { '3.4': 25, '3.5': 8 } } as const;

/** Keys that the operator may set, by the name of the newest minor that has them. */
export const etcdKeyRows: Readonly<Record<string, EtcdKeyRow>> = {
  'auth-token': { type: 'string' },
  'auth-token-ttl': { type: 'uint', firstPatch: { '3.4': 10 } },
  'auto-compaction-mode': { type: ['periodic', 'revision'] },
  'auto-compaction-retention': { type: 'retention' },
  'backend-batch-interval': { type: 'duration' },
  'backend-batch-limit': { type: 'int' },
  'backend-bbolt-freelist-type': { type: ['array', 'map'], from: '3.5', experimentalFrom: '3.4' },
  'bcrypt-cost': { type: 'uint' },
  'bootstrap-defrag-threshold-megabytes': { type: 'uint', from: '3.6', experimentalFrom: '3.5' },
  'cipher-suites': { type: 'string-list' },
  'compact-hash-check-time': { type: 'duration', from: '3.6', experimentalFrom: '3.5', firstPatch: { '3.5': 5 } },
  'compaction-batch-limit': { type: 'int', from: '3.6', experimentalFrom: '3.4' },
  'compaction-sleep-interval': { type: 'duration', from: '3.6', experimentalFrom: '3.5', firstPatch: { '3.5': 16 } },
  'corrupt-check-time': { type: 'duration', from: '3.6', experimentalFrom: '3.4' },
  cors: { type: 'comma-list', origins: true },
  'distributed-tracing-address': { type: 'string', ...tracing },
  'distributed-tracing-instance-id': { type: 'string', ...tracing },
  'distributed-tracing-sampling-rate': { type: 'int', ...tracing, firstPatch: { '3.5': 11 } },
  'distributed-tracing-service-name': { type: 'string', ...tracing },
  'downgrade-check-time': { type: 'duration', from: '3.6', experimentalFrom: '3.5' },
  'election-timeout': { type: 'milliseconds' },
  'enable-distributed-tracing': { type: 'bool', ...tracing },
  'enable-grpc-gateway': { type: 'bool' },
  'enable-pprof': { type: 'bool' },
  'grpc-keepalive-interval': { type: 'duration' },
  'grpc-keepalive-min-time': { type: 'duration' },
  'grpc-keepalive-timeout': { type: 'duration' },
  'heartbeat-interval': { type: 'milliseconds' },
  'host-whitelist': { type: 'comma-list' },
  'initial-election-tick-advance': { type: 'bool' },
  'log-format': { type: ['json', 'console'], from: '3.6' },
  'log-level': { type: ['debug', 'info', 'warn', 'error', 'panic', 'fatal'] },
  'max-concurrent-streams': { type: 'uint', firstPatch: { '3.4': 20, '3.5': 5 } },
  'max-learners': { type: 'int', from: '3.6' },
  'max-request-bytes': { type: 'bytes' },
  'max-snapshots': { type: 'uint' },
  'max-txn-ops': { type: 'uint' },
  'max-wals': { type: 'uint' },
  metrics: { type: ['basic', 'extensive'] },
  'next-cluster-version-compatible': { type: 'bool', until: '3.4', firstPatch: { '3.4': 31 } },
  'pre-vote': { type: 'bool' },
  'quota-backend-bytes': { type: 'bytes' },
  'snapshot-catchup-entries': {
    type: 'uint',
    from: '3.6',
    experimentalFrom: '3.5',
    experimentalName: 'experimental-snapshot-catch-up-entries',
    firstPatch: { '3.5': 14 },
  },
  'snapshot-count': { type: 'uint' },
  'socket-options': { type: 'socket-options', from: '3.5', firstPatch: { '3.5': 10 } },
  'tls-max-version': { type: ['TLS1.2', 'TLS1.3'], ...tlsVersions },
  'tls-min-version': { type: ['TLS1.2', 'TLS1.3'], ...tlsVersions },
  'unsafe-no-fsync': { type: 'bool', firstPatch: { '3.4': 10 } },
  'v2-deprecation': {
    type: ['not-yet', 'write-only', 'write-only-drop-data'],
    from: '3.5',
    until: '3.6',
  },
  'warning-apply-duration': { type: 'duration', from: '3.6', experimentalFrom: '3.4', firstPatch: { '3.4': 16 } },
  'warning-unary-request-duration': { type: 'duration', from: '3.6', experimentalFrom: '3.6' },
  'watch-progress-notify-interval': {
    type: 'duration',
    from: '3.6',
    experimentalFrom: '3.4',
    firstPatch: { '3.4': 11 },
  },
};

export interface FeatureGateRow {
  /** First minor that has the gate. */
  readonly from: Minor;
  /** The boolean key that does the same before 3.6, and the first minor and patches that have it. */
  readonly key?: string;
  readonly keyFrom?: Minor;
  readonly firstPatch?: Readonly<Partial<Record<Minor, number>>>;
}

/** Feature gates (server/features/etcd_features.go of 3.6.16 and 3.7.3) and the boolean keys that they replaced. */
export const featureGates: Readonly<Record<string, FeatureGateRow>> = {
  CompactHashCheck: {
    from: '3.6',
    key: 'experimental-compact-hash-check-enabled',
    keyFrom: '3.5',
    firstPatch: { '3.5': 5 },
  },
  FastLeaseKeepAlive: { from: '3.7' },
  InitialCorruptCheck: { from: '3.6', key: 'experimental-initial-corrupt-check', keyFrom: '3.4' },
  LeaseCheckpoint: { from: '3.6', key: 'experimental-enable-lease-checkpoint', keyFrom: '3.4' },
  LeaseCheckpointPersist: {
    from: '3.6',
    key: 'experimental-enable-lease-checkpoint-persist',
    keyFrom: '3.4',
    firstPatch: { '3.4': 20, '3.5': 2 },
  },
  PriorityRequest: { from: '3.7' },
  SetMemberLocalAddr: { from: '3.6' },
  StopGRPCServiceOnDefrag: {
    from: '3.6',
    key: 'experimental-stop-grpc-service-on-defrag',
    keyFrom: '3.5',
    firstPatch: { '3.5': 14 },
  },
  TxnModeWriteWithSharedBuffer: {
    from: '3.6',
    key: 'experimental-txn-mode-write-with-shared-buffer',
    keyFrom: '3.5',
  },
};
