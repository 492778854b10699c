/** The releases of one cluster, as a run uses them: what is known, the tarball to push, the script for hosts that fetch. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Architecture, Cluster } from '../domain/cluster.ts';
import { knownChecksum } from './checksum.ts';
import { type FetchOptions, fetchBinary, requireChecksum } from './fetch.ts';
import { hostDownloadScript } from './host-download.ts';
import { readReleaseLock } from './lock-file.ts';
import { releaseUrls } from './release-urls.ts';

const architectures: readonly Architecture[] = ['amd64', 'arm64', 'ppc64le', 's390x'];

export interface Releases {
  /** sha256 by architecture, as far as the inventory, the lock file or this run know it. */
  checksums(version?: string): Readonly<Record<string, string>>;
  /** Fetches and checks; see {@link fetchBinary}. */
  fetch(
    name: ReleaseOf,
    signal: AbortSignal,
  ): Promise<{ readonly sha256: string; readonly sizeBytes: number; read(): Readable }>;
  /** Shell that leaves the checked tarball at `target` on a host; undefined where the operator pushes it. */
  downloadScript(name: ReleaseOf, target: string): Promise<string | undefined>;
}

interface ReleaseOf {
  readonly version: string;
  readonly architecture: string;
}

/** Reads the lock file, nothing else. Throws QuorateError `refused` where inventory and lock file contradict each other. */
export async function openReleases(cluster: Cluster, options: FetchOptions): Promise<Releases> {
  const lock = await readReleaseLock(cluster.lockFile);
  const learnt = new Map<string, string>();
  const { binaries } = cluster;
  // Throws where inventory and lock file contradict each other.
  const known = (version: string): Readonly<Record<string, string>> => {
    const release = releaseOf(cluster, version);
    const all = architectures.flatMap((each) => {
      const sha256 = learnt.get(`${version} ${each}`) ?? knownChecksum(release, each, lock)?.sha256;
      return sha256 === undefined ? [] : [[each, sha256] as const];
    });
    return Object.fromEntries(all);
  };
  known(cluster.version);
  return {
    checksums: (version = cluster.version) => known(version),
    fetch: async ({ version, architecture }, signal) => {
      const release = releaseOf(cluster, version);
      const { path, sha256, sizeBytes } = await fetchBinary(release, narrow(architecture), { ...options, signal });
      learnt.set(`${version} ${architecture}`, sha256);
      return { sha256, sizeBytes, read: () => createReadStream(path, { highWaterMark: 1_048_576 }) };
    },
    downloadScript: async ({ version, architecture }, target) => {
      if ((binaries.kind !== 'release' && binaries.kind !== 'mirror') || binaries.via !== 'host') return undefined;
      const sha256 = await requireChecksum(releaseOf(cluster, version), narrow(architecture), options);
      learnt.set(`${version} ${architecture}`, sha256);
      return hostDownloadScript({
        urls: releaseUrls(binaries, version, narrow(architecture)).tarballs,
        sha256,
        target,
      });
    },
  };
}

/** The inventory's checksums are those of its own version. */
function releaseOf(cluster: Cluster, version: string): Cluster {
  return version === cluster.version ? cluster : { ...cluster, version, checksums: {} };
}

function narrow(architecture: string): Architecture {
  const found = architectures.find((each) => each === architecture);
  if (found === undefined) throw new Error(`${architecture}: no architecture of etcd`);
  return found;
}
