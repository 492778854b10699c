/** Where things stand on a host: paths that several parts must agree on. */
import type { Cluster } from './cluster.ts';
import type { HostFacts } from './facts.ts';
import type { DataFolder } from './step.ts';
import { parseVersion } from './version.ts';

/** Durable notes of quorate on a host. */
export const QUORATE_DIR = '/var/lib/quorate';
/** Volatile notes; gone with the next boot. */
export const QUORATE_RUN_DIR = '/run/quorate';

export const ATTEMPT_FILE = `${QUORATE_DIR}/attempt.json`;
export const STARTING_FILE = `${QUORATE_DIR}/starting.json`;
export const MARKER_FILE = `${QUORATE_DIR}/marker.json`;
export const LOCK_DIR = `${QUORATE_DIR}/lock`;

/** The note beside large files that spares hashing them (see observe/digests.ts). */
export const DIGESTS_NAME = '.digests';
/** What `stat -c` tells of a file; a line of that note repeats it, since whatever changes content or inode changes `%i` or `%z`. */
export const INODE_FORMAT = '%f %a %U %G %s %i %z|%n';

/** The link that etcd reads its certificates through. */
export function pkiLink(cluster: Cluster): string {
  return `${cluster.paths.configDir}/pki`;
}

/** The folder of one generation of keys and certificates. */
export function pkiGeneration(cluster: Cluster, generation: number): string {
  return `${cluster.paths.configDir}/pki.d/${generation}`;
}

/** Keys whose certificates an authority elsewhere is asked for: a name that no generation has, and that nothing refers to. */
export function requestFolder(cluster: Cluster): string {
  return `${cluster.paths.configDir}/pki.d/requested`;
}

export function configFile(cluster: Cluster): string {
  return `${cluster.paths.configDir}/etcd-config.yml`;
}

export function unitFile(cluster: Cluster): string {
  return `/etc/systemd/system/${cluster.unit}`;
}

/** The copy of the configuration that the one start with `new` runs from. */
export const BOOTSTRAP_CONFIG = `${QUORATE_RUN_DIR}/bootstrap/etcd-config.yml`;

/** Tells the unit, which reads it at each start, to run from {@link BOOTSTRAP_CONFIG}. */
export const BOOTSTRAP_ENVIRONMENT = `${QUORATE_RUN_DIR}/bootstrap/environment`;

/**
 * Where etcd keeps its WAL: a `*.wal` file there is its own test for "already initialised". Never `walDir` itself: etcd makes a log as `NAME.tmp` beside its folder and renames it over that
 * (server/storage/wal/wal.go, Create), which the unit's sandbox, or a disk mounted there, would not let it.
 */
export function walFolder(cluster: Cluster): string {
  const { dataDir, walDir } = cluster.paths;
  return walDir === undefined ? `${dataDir}/member/wal` : `${walDir}/wal`;
}

/** The folders in which etcd keeps data, each with the entry that is etcd's own. */
export function dataFolders(cluster: Cluster): readonly DataFolder[] {
  const { dataDir, walDir } = cluster.paths;
  return [
    { path: dataDir, entry: 'member' },
    ...(walDir === undefined ? [] : [{ path: walDir, entry: 'wal' } as const]),
  ];
}

/** The folder of one version's binaries. */
export function binaryDir(cluster: Cluster): string {
  return cluster.binaries.kind === 'system' ? cluster.binaries.directory : `${cluster.paths.libDir}/${cluster.version}`;
}

/** The version whose folder the link to etcd points into; '' where there is no such link, or it leads elsewhere. */
export function versionLinked(cluster: Cluster, host: HostFacts | undefined): string {
  const link = host?.files[`${cluster.paths.binDir}/etcd`];
  const folder = link?.kind === 'link' ? (link.target.split('/').at(-2) ?? '') : '';
  return parseVersion(folder) === undefined ? '' : folder;
}

/** The links to the binaries in use: etcdutl exists from 3.5 on. */
export function binaryNames(cluster: Cluster): readonly string[] {
  return cluster.version.startsWith('3.4.') ? ['etcd', 'etcdctl'] : ['etcd', 'etcdctl', 'etcdutl'];
}
