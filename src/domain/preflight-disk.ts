/** Whether a host's file systems can hold a member. */
import { effectiveEtcdKeys } from './etcd-keys.ts';
import type { DiskFact } from './facts.ts';
import { agreeing, counted } from './plural.ts';
import type { HostCheck, Problem } from './problem.ts';

const DATA_REFUSE_BYTES = 2 ** 30;
const DATA_WARN_BYTES = 20e9;
/** The unpacked binaries of one version beside its tarball take up to 150 MB. */
const BINARIES_REFUSE_BYTES = 256 * 2 ** 20;
const INODES_REFUSE = 1_000;
const INODES_WARN = 10_000;

/** Read-only, full, short of inodes, spinning. */
export function checkDisks(check: HostCheck): readonly Problem[] {
  const { cluster, host } = check;
  const { dataDir, libDir } = cluster.paths;
  const readOnly = checkReadOnly(check);
  if (readOnly.length > 0) return readOnly;
  return [
    ...checkData(check),
    ...(cluster.binaries.kind === 'system' ? [] : checkBinaries(check)),
    ...checkInodes(host.host, dataDir, host.disk),
    ...checkInodes(host.host, libDir, host.libDisk),
    ...checkSpinning(check),
  ];
}

function checkReadOnly({ cluster, host }: HostCheck): readonly Problem[] {
  if (!host.root) return [];
  return host.readOnlyPaths
    .filter((path) => cluster.binaries.kind !== 'system' || path !== cluster.paths.libDir)
    .map((path) => ({
      host: host.host,
      level: 'refuse' as const,
      message: `${host.host}: ${path} cannot be written: its file system is read-only`,
      hint: 'mount it writable, or choose another directory in the inventory',
    }));
}

function checkData({ cluster, host }: HostCheck): readonly Problem[] {
  const { dataDir } = cluster.paths;
  const { freeBytes } = host.disk;
  if (freeBytes < DATA_REFUSE_BYTES) {
    return [full(host.host, dataDir, { freeBytes, limitBytes: DATA_REFUSE_BYTES })];
  }
  const quotaBytes = Number(effectiveEtcdKeys(cluster.version, cluster.etcd)['quota-backend-bytes'] ?? 2 * 2 ** 30);
  const limitBytes = Math.max(DATA_WARN_BYTES, 2 * quotaBytes);
  if (freeBytes >= limitBytes) return [];
  return [
    {
      host: host.host,
      level: 'warn',
      message: `${host.host}: ${size(freeBytes)} are free for ${dataDir} (20 GB and twice the quota of ${size(quotaBytes)} are wise)`,
      hint: 'give the data dir a disk of its own, or lower quota-backend-bytes',
    },
  ];
}

function checkBinaries({ cluster, host }: HostCheck): readonly Problem[] {
  const { freeBytes } = host.libDisk;
  if (freeBytes >= BINARIES_REFUSE_BYTES) return [];
  return [full(host.host, cluster.paths.libDir, { freeBytes, limitBytes: BINARIES_REFUSE_BYTES })];
}

function full(host: string, path: string, bytes: { readonly freeBytes: number; readonly limitBytes: number }): Problem {
  const message = `${host}: the disk is full: ${size(bytes.freeBytes)} are free for ${path} (limit ${size(bytes.limitBytes)})`;
  return { host, level: 'refuse', message, hint: `make room on the file system of ${path}: df -h ${path}` };
}

function checkInodes(host: string, path: string, { freeInodes }: DiskFact): readonly Problem[] {
  if (freeInodes >= INODES_WARN) return [];
  const level = freeInodes < INODES_REFUSE ? 'refuse' : 'warn';
  const limit = level === 'refuse' ? INODES_REFUSE : INODES_WARN;
  const message = `${host}: ${counted(freeInodes, 'inode')} ${agreeing(freeInodes, 'is', 'are')} free for ${path} (limit ${limit})`;
  return [{ host, level, message, hint: `find what uses them: df -i ${path}` }];
}

function checkSpinning({ cluster, host }: HostCheck): readonly Problem[] {
  if (host.disk.rotational !== true) return [];
  return [
    {
      host: host.host,
      level: 'warn',
      message: `${host.host}: ${cluster.paths.dataDir} is on a disk that says it spins; etcd syncs every write, and slow syncs cost elections`,
      hint: 'use an SSD; virtual disks may say so wrongly (/sys/block/*/queue/rotational)',
    },
  ];
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
