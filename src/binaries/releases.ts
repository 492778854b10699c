/** The releases of one cluster, as a run uses them: what is known, the tarball to push, the script for hosts that fetch. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Architecture, Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
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
  fetch(name: ReleaseOf, signal: AbortSignal): Promise<Tarball>;
  /** Shell that leaves the checked tarball at `target` on a host; undefined where the operator pushes it. */
  downloadScript(name: ReleaseOf, target: string): Promise<string | undefined>;
}

/** `read` gives all of it, from memory once it has been read; it throws QuorateError `refused` where the file is another one by now. */
interface Tarball {
  readonly sha256: string;
  read(): Promise<Buffer>;
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
      const { path, sha256 } = await fetchBinary(release, narrow(architecture), { ...options, signal });
      learnt.set(`${version} ${architecture}`, sha256);
      let content: Promise<Buffer> | undefined;
      const read = (): Promise<Buffer> => {
        content ??= readChecked(path, sha256);
        return content;
      };
      return { sha256, read };
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

async function readChecked(path: string, sha256: string): Promise<Buffer> {
  const content = await readFile(path);
  if (createHash('sha256').update(content).digest('hex') === sha256) return content;
  throw new QuorateError('refused', `${path}: is no longer the file whose sha256 was checked`, {
    hint: 'see who writes there, and run the same command again',
  });
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
