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
  checksums(): Readonly<Record<string, string>>;
  /** Fetches and checks; see {@link fetchBinary}. */
  fetch(
    architecture: string,
    signal: AbortSignal,
  ): Promise<{ readonly sha256: string; readonly sizeBytes: number; read(): Readable }>;
  /** Shell that leaves the checked tarball at `target` on a host; undefined where the operator pushes it. */
  downloadScript(architecture: string, target: string): Promise<string | undefined>;
}

/** Reads the lock file, nothing else. Throws QuorateError `refused` where inventory and lock file contradict each other. */
export async function openReleases(cluster: Cluster, options: FetchOptions): Promise<Releases> {
  const lock = await readReleaseLock(cluster.lockFile);
  const known = new Map<string, string>();
  for (const each of architectures) {
    const checksum = knownChecksum(cluster, each, lock);
    if (checksum !== undefined) known.set(each, checksum.sha256);
  }
  const { binaries, version } = cluster;
  return {
    checksums: () => Object.fromEntries(known),
    fetch: async (architecture, signal) => {
      const { path, sha256, sizeBytes } = await fetchBinary(cluster, narrow(architecture), { ...options, signal });
      known.set(architecture, sha256);
      return { sha256, sizeBytes, read: () => createReadStream(path, { highWaterMark: 1_048_576 }) };
    },
    downloadScript: async (architecture, target) => {
      if ((binaries.kind !== 'release' && binaries.kind !== 'mirror') || binaries.via !== 'host') return undefined;
      const sha256 = await requireChecksum(cluster, narrow(architecture), options);
      known.set(architecture, sha256);
      return hostDownloadScript({
        urls: releaseUrls(binaries, version, narrow(architecture)).tarballs,
        sha256,
        target,
      });
    },
  };
}

function narrow(architecture: string): Architecture {
  const found = architectures.find((each) => each === architecture);
  if (found === undefined) throw new Error(`${architecture}: no architecture of etcd`);
  return found;
}
