/** Releases of etcd that are known to be dangerous: from etcd's changelogs and advisories as of 2026-11-21 (docs: reference/etcd-operations.md, section 5). */
import type { Minor } from './version.ts';

/** A reason not to run some releases. */
export interface Hazard {
  /** Stable: operators accept hazards by it. */
  readonly id: string;
  /** `refuse`: not run unless accepted by ID. `warn`: told, and run. */
  readonly severity: 'refuse' | 'warn';
  /** What happens, as a sentence without a full stop. */
  readonly reason: string;
  /** Where it is told. */
  readonly source: string;
}

export interface HazardRow extends Hazard {
  /** First and last affected patch of each minor that is affected. */
  readonly affected: Readonly<Partial<Record<Minor, readonly [first: number, last: number]>>>;
}

export const hazardRows: readonly HazardRow[] = [
  {
    id: 'corruption-13766',
    severity: 'refuse',
    reason: 'a killed member can lose committed transactions that the others have, and nothing tells',
    source: 'https://github.com/etcd-io/etcd/issues/13766',
    affected: { '3.5': [0, 2] },
  },
  {
    id: 'below-production-minimum',
    severity: 'refuse',
    reason:
      'members diverge when one crashes while it defragments or recovers from a snapshot; etcd itself sets 3.4.22 and 3.5.6 as the least for production',
    source: 'https://github.com/etcd-io/etcd/blob/main/CHANGELOG/README.md',
    affected: { '3.4': [0, 21], '3.5': [0, 5] },
  },
  {
    id: 'lost-write-14370',
    severity: 'refuse',
    reason: 'a cluster of one member acknowledges writes before they are durable and loses them in a crash',
    source: 'https://github.com/etcd-io/etcd/issues/14370',
    affected: { '3.4': [0, 20], '3.5': [0, 4] },
  },
  {
    id: 'apply-snapshot-defrag',
    severity: 'refuse',
    reason: 'a member that defragments while it receives a snapshot can corrupt its data',
    source: 'https://github.com/etcd-io/etcd/pull/20653',
    affected: { '3.4': [0, 37], '3.5': [0, 22], '3.6': [0, 4] },
  },
  {
    id: 'learner-replay-20387',
    severity: 'refuse',
    reason: 'a member that replays the promotion of a learner fails to start',
    source: 'https://github.com/etcd-io/etcd/pull/20387',
    affected: { '3.6': [0, 3] },
  },
  {
    id: 'stale-reads-20418',
    severity: 'refuse',
    reason: 'linearizable reads can be stale after a member was paused',
    source: 'https://github.com/etcd-io/etcd/issues/20418',
    affected: { '3.4': [20, 41], '3.5': [0, 27], '3.6': [0, 8] },
  },
  {
    id: 'rbac-bypass-33413',
    severity: 'refuse',
    reason:
      'with RBAC on, users reach APIs and nested transactions that they have no right to (CVE-2026-33413, CVE-2026-33343)',
    source: 'https://github.com/etcd-io/etcd/security/advisories/GHSA-q8m4-xhhv-38mg',
    affected: { '3.4': [0, 41], '3.5': [0, 27], '3.6': [0, 8] },
  },
  {
    id: 'rbac-bypass-44283',
    severity: 'refuse',
    reason: 'with RBAC on, puts nested in transactions read keys that the user has no right to (CVE-2026-44283)',
    source: 'https://github.com/etcd-io/etcd/pull/21682',
    affected: { '3.4': [0, 43], '3.5': [0, 29], '3.6': [0, 10] },
  },
  {
    id: 'watch-leak-xg4h',
    severity: 'refuse',
    reason: 'with RBAC on, a user who may read one key can watch every key from it on',
    source: 'https://github.com/etcd-io/etcd/security/advisories/GHSA-xg4h-6gfc-h4m8',
    affected: { '3.5': [0, 32], '3.6': [0, 13], '3.7': [0, 0] },
  },
  {
    id: 'tls-handshake-dos',
    severity: 'refuse',
    reason:
      'anyone who reaches a port can exhaust the member with TLS handshakes that never end, without a certificate',
    source: 'https://github.com/etcd-io/etcd/security/advisories/GHSA-6vch-q96h-7gc3',
    affected: { '3.5': [0, 32], '3.6': [0, 13], '3.7': [0, 0] },
  },
  {
    id: 'eol-3.4',
    severity: 'warn',
    reason:
      'etcd 3.4 has had no fixes since 3.4.45 (2026-06-01): the advisories GHSA-6vch-q96h-7gc3 and GHSA-xg4h-6gfc-h4m8 came later and stay open in it',
    source: 'https://github.com/etcd-io/etcd/blob/main/CHANGELOG/CHANGELOG-3.4.md',
    affected: { '3.4': [0, Number.POSITIVE_INFINITY] },
  },
];

/** Every release that is not one yet. */
export const preReleaseHazard: Hazard = {
  id: 'pre-release',
  severity: 'refuse',
  reason: 'pre-releases get no fixes, and their data may be unreadable to the release',
  source: 'https://etcd.io/docs/latest/op-guide/versioning/',
};
