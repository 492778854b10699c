/** Where a release's tarball and checksums lie: the layout of etcd's own releases, which mirrors keep. */
import type { Architecture, BinarySource } from '../domain/cluster.ts';

/** A source that is reached over HTTP. */
export type RemoteSource = Extract<BinarySource, { readonly kind: 'release' | 'mirror' }>;

/** Both hold every release of etcd since 3.0; the second where the first cannot be reached (etcd's release notes name both). */
const officialBases: readonly string[] = [
  'https://github.com/etcd-io/etcd/releases/download',
  'https://storage.googleapis.com/etcd',
];

/** What to fetch, each from the first address that has it. */
export interface ReleaseUrls {
  readonly tarballs: readonly string[];
  /** `SHA256SUMS` files, as `sha256sum` writes them. */
  readonly sums: readonly string[];
}

/** `etcd-v3.6.16-linux-amd64.tar.gz`, with a top folder of the same name less `.tar.gz`. */
export function tarballName(version: string, architecture: Architecture): string {
  return `etcd-v${version}-linux-${architecture}.tar.gz`;
}

/** The addresses for one version and architecture. */
export function releaseUrls(source: RemoteSource, version: string, architecture: Architecture): ReleaseUrls {
  const bases = source.kind === 'mirror' ? [source.url.replace(/\/+$/, '')] : officialBases;
  return {
    tarballs: bases.map((base) => `${base}/v${version}/${tarballName(version, architecture)}`),
    sums: bases.map((base) => `${base}/v${version}/SHA256SUMS`),
  };
}
