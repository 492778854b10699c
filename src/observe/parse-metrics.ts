/** Reads the few numbers that matter out of etcd's metrics (Prometheus' text format). */
import type { MemberMetrics } from '../domain/metrics.ts';

/** Fewer syncs than this say nothing of the disk. */
const ENOUGH_SYNCS = 100;

/** Never throws; what is not there is undefined. */
export function parseMetrics(text: string): MemberMetrics {
  const wanted = new Map<string, number>();
  const lostPeers: string[] = [];
  const buckets: { readonly upTo: number; readonly count: number }[] = [];
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = ''] = /^([a-z_:]+)(?:\{([^}]*)\})? (\S+)$/.exec(line) ?? [];
    if (name === 'etcd_disk_wal_fsync_duration_seconds_bucket') {
      const bound = /le="([^"]+)"/.exec(labels)?.[1];
      if (bound !== undefined)
        buckets.push({ upTo: bound === '+Inf' ? Infinity : Number(bound), count: Number(value) });
    } else if (name === 'etcd_network_active_peers' && value === '0') {
      lostPeers.push(/Remote="([0-9a-f]+)"/.exec(labels)?.[1] ?? '');
    } else if (labels === '' && name !== '') wanted.set(name, Number(value));
  }
  return {
    quotaBytes: wanted.get('etcd_server_quota_backend_bytes'),
    walSync99Ms: quantile(buckets),
    openFiles: wanted.get('process_open_fds'),
    maxFiles: wanted.get('process_max_fds'),
    lostPeers,
  };
}

/** The bound of the first bucket that holds 99 %; undefined where that is the open one. */
function quantile(buckets: readonly { readonly upTo: number; readonly count: number }[]): number | undefined {
  const all = buckets.find((each) => each.upTo === Infinity)?.count ?? 0;
  if (all < ENOUGH_SYNCS) return undefined;
  const sorted = buckets.toSorted((left, right) => left.upTo - right.upTo);
  const found = sorted.findLast((each) => each.upTo !== Infinity && each.count < all * 0.99);
  const next = sorted[found === undefined ? 0 : sorted.indexOf(found) + 1];
  const bound = next === undefined || next.upTo === Infinity ? sorted.at(-2)?.upTo : next.upTo;
  return bound === undefined ? undefined : bound * 1000;
}
