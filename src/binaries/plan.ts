/** What a plan can say about the binaries without fetching anything. */

import type { Architecture, Cluster } from '../domain/cluster.ts';
import { binaryNames } from '../domain/layout.ts';
import { knownChecksum } from './checksum.ts';
import type { ReleaseLock } from './lock-file.ts';
import { type ReleaseUrls, releaseUrls, tarballName } from './release-urls.ts';

export type BinaryPlan =
  /** They are on the hosts already. */
  | { readonly kind: 'system'; readonly directory: string; readonly names: readonly string[] }
  /** A tarball or folder with the operator, pushed. */
  | { readonly kind: 'file'; readonly path: string; readonly name: string; readonly sha256: string | undefined }
  /** Fetched by the operator once and pushed, or by each host; `sha256` is undefined until first use. */
  | {
      readonly kind: 'download';
      readonly via: 'operator' | 'host';
      readonly name: string;
      readonly urls: ReleaseUrls;
      readonly sha256: string | undefined;
    };

/** Pure. Throws QuorateError `refused` where inventory and lock file contradict each other. */
export function planBinary(cluster: Cluster, architecture: Architecture, lock: ReleaseLock): BinaryPlan {
  const { binaries, version } = cluster;
  const name = tarballName(version, architecture);
  const sha256 = knownChecksum(cluster, architecture, lock)?.sha256;
  switch (binaries.kind) {
    case 'system':
      return { kind: 'system', directory: binaries.directory, names: binaryNames(cluster) };
    case 'file':
      return { kind: 'file', path: binaries.path, name, sha256 };
    default:
      return { kind: 'download', via: binaries.via, name, urls: releaseUrls(binaries, version, architecture), sha256 };
  }
}
