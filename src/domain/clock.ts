/** How far hosts' clocks are apart. */
import type { HostFacts } from './facts.ts';

/** etcd's leases and certificates bear no more than this between hosts; raft itself needs no clock. */
export const CLOCK_REFUSE_MS = 30_000;
export const CLOCK_WARN_MS = 2_000;

/** Milliseconds that a host is ahead of the median of all. */
export function aheadOfMedian(host: HostFacts, hosts: readonly HostFacts[]): number {
  return host.clockOffsetMs - median(hosts.map((each) => each.clockOffsetMs));
}

/** `94 s ahead of`, `1.5 s behind`. */
export function wordOffset(offsetMs: number): string {
  const size = Math.abs(offsetMs) / 1000;
  const rounded = size < 10 ? Math.round(size * 10) / 10 : Math.round(size);
  return `${rounded} s ${offsetMs > 0 ? 'ahead of' : 'behind'}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}
