/** What quorate writes into etcd's configuration where the operator says nothing: explicit, because etcd's own defaults differ by minor. */
import type { EtcdValue } from './etcd-keys-values.ts';
import type { Minor } from './version.ts';

/** Defaults in the operator's terms (before translation), with the reasons that inventories/example.yml repeats. */
export function etcdDefaults(minor: Minor): Readonly<Record<string, EtcdValue>> {
  return {
    // 0.5–1.5 × the round trip between members; 100 ms suits one region (etcd's tuning guide).
    'heartbeat-interval': 100,
    // At least 10 × the round trip and 5 × the heartbeat.
    'election-timeout': 1000,
    // 3.6's default; 100000, that of 3.4 and 3.5, keeps ten times the entries in memory.
    'snapshot-count': 10_000,
    // The most that etcd suggests; its default of 2 GiB is what busy Kubernetes clusters run into (NOSPACE).
    'quota-backend-bytes': 8 * 2 ** 30,
    // Regular compaction bounds the history, and the compact hash check lives off it.
    'auto-compaction-mode': 'periodic',
    'auto-compaction-retention': '8h',
    // false is 3.4's default; it keeps a member that returns from an outage from deposing the leader.
    'pre-vote': true,
    // Health checks and tools use it; its default depends on the minor and on whether there is a file.
    'enable-grpc-gateway': true,
    // Off in every minor's defaults, and the only warning before silent corruption spreads (op-guide/data_corruption).
    'feature-gates':
      minor === '3.4' ? { InitialCorruptCheck: true } : { CompactHashCheck: true, InitialCorruptCheck: true },
  };
}
