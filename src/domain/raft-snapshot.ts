/** Names of etcd's raft snapshots on disk: `TERM-INDEX.snap`, both hexadecimal (etcdserver/api/snap/snapshotter.go, save). */
import type { Cluster } from './cluster.ts';

/** The folder that holds them. */
export function raftSnapshotFolder({ paths }: Cluster): string {
  return `${paths.dataDir}/member/snap`;
}

/** The raft index of the newest of these names; 0 where none is one. */
export function newestSnapshot(names: readonly string[]): number {
  const indexes = names.map((name) =>
    Number.parseInt(/(?:^|\/)[0-9a-f]{16}-([0-9a-f]{16})\.snap$/.exec(name)?.[1] ?? '0', 16),
  );
  return Math.max(0, ...indexes);
}
