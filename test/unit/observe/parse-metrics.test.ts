import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../../src/observe/parse-metrics.ts';

const recorded = (version: string): string =>
  readFileSync(new URL(`../../fixtures/metrics/${version}.txt`, import.meta.url), 'utf8');

/** A histogram of the WAL's syncs: how many took at most so many seconds. */
const syncs = (buckets: Readonly<Record<string, number>>): string =>
  Object.entries(buckets)
    .map(([bound, count]) => `etcd_disk_wal_fsync_duration_seconds_bucket{le="${bound}"} ${count}`)
    .join('\n');

const unknown = { quotaBytes: undefined, walSync99Ms: undefined, openFiles: undefined, maxFiles: undefined };

describe('metrics', () => {
  it('tell whom a member takes for unreachable', () => {
    const peers = (...states: readonly number[]): string =>
      states
        .map((state, index) => `etcd_network_active_peers{Local="8e9e05c52164694d",Remote="a${index}"} ${state}`)
        .join('\n');
    expect(parseMetrics(peers(1, 0, 1, 0)).lostPeers).toEqual(['a1', 'a3']);
  });

  it.each([
    ['3.4.23', { quotaBytes: 2 ** 31, walSync99Ms: 128, openFiles: 19, maxFiles: 20_000, lostPeers: [] }],
    ['3.7.3', { quotaBytes: 2 ** 31, walSync99Ms: 64, openFiles: 18, maxFiles: 20_000, lostPeers: [] }],
  ])('of etcd %s', (version, wanted) => expect(parseMetrics(recorded(version))).toEqual(wanted));

  it.each([
    ['all fast', { '0.001': 1_000, '0.002': 1_000, '+Inf': 1_000 }, 1],
    ['exactly 99 %', { '0.001': 990, '0.002': 1_000, '+Inf': 1_000 }, 1],
    ['less than 99 %', { '0.001': 989, '0.002': 1_000, '+Inf': 1_000 }, 2],
    ['slower than every bucket', { '0.001': 0, '8.192': 10, '+Inf': 1_000 }, 8192],
    ['too few to say anything', { '0.001': 0, '8.192': 99, '+Inf': 99 }, undefined],
    ['none', {}, undefined],
  ])('tell how long syncs take: %s', (_name, buckets, wanted) =>
    expect(parseMetrics(syncs(buckets)).walSync99Ms).toBe(wanted),
  );

  it('are undefined where there are none', () => {
    const none = { ...unknown, lostPeers: [] };
    expect(parseMetrics('')).toEqual(none);
    expect(parseMetrics('<html>404</html>\nprocess_open_fds\n{} 1\n')).toEqual(none);
  });
});
