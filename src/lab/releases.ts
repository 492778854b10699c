/** etcd releases for labs, in the official layout, from wherever this machine can get them; kept outside every checkout. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { cacheFolder } from './cache.ts';
import { withFolderLock } from './lock.ts';
import { debianSource } from './release-debian.ts';
import { goSource } from './release-go.ts';
import { makeRelease } from './release-make.ts';
import { officialSource } from './release-official.ts';
import { releaseName, sumOf } from './release-pack.ts';
import type { ReleaseSource } from './release-source.ts';
import { type Say, silent } from './say.ts';

/** A release on disk. */
export interface Release {
  readonly version: string;
  /** The root of a mirror: `<root>/vVERSION/etcd-vVERSION-linux-ARCH.tar.gz`. */
  readonly root: string;
  /** The version's folder under `root`. */
  readonly dir: string;
  readonly tarball: string;
  readonly sha256sums: string;
  /** The tarball's sha256, hexadecimal. */
  readonly sha256: string;
  /** Where it comes from, in words. */
  readonly origin: string;
}

/** Where to look and whom to tell. */
export interface ReleaseOptions {
  readonly cache?: string | undefined;
  readonly say?: Say | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In the order in which they are asked. */
  readonly sources?: readonly ReleaseSource[] | undefined;
}

/** Whether a version can be had here, and from where or why not. */
export interface ReleaseOffer {
  readonly version: string;
  readonly available: boolean;
  readonly reason: string;
}

/** One version of every minor that quorate supports; the e2e tests bootstrap each. */
export const testedVersions = ['3.4.23', '3.5.35', '3.6.16', '3.7.3'] as const;

const everySource: readonly ReleaseSource[] = [officialSource(), debianSource, goSource];

/**
 * The release of a version (`3.5.35`), made or fetched when the cache has none: one at a time on this machine.
 * Throws `step-failed`, with what each source said in `detail`, when it cannot be had.
 */
export async function ensureRelease(version: string, options: ReleaseOptions = {}): Promise<Release> {
  if (!/^3\.\d+\.\d+$/.test(version)) throw new QuorateError('usage', `${version}: not a version of etcd 3`);
  const root = releaseRoot(options);
  const cached = await readRelease(root, version);
  if (cached !== undefined) return cached;
  return withFolderLock(root, 1_800_000, async () => {
    const finished = await readRelease(root, version);
    if (finished !== undefined) return finished;
    await makeRelease(version, { ...places(options), say: options.say ?? silent, signal: options.signal });
    const made = await readRelease(root, version);
    if (made === undefined) throw new QuorateError('step-failed', `etcd ${version}: made, but not complete`);
    return made;
  });
}

/** For each version whether it can be had here; nothing but sums and Debian's package lists is fetched. */
export async function availableReleases(
  versions: readonly string[] = testedVersions,
  options: ReleaseOptions = {},
): Promise<ReleaseOffer[]> {
  const root = releaseRoot(options);
  const offers: ReleaseOffer[] = [];
  for (const version of versions) {
    const cached = await readRelease(root, version);
    offers.push(
      cached ? { version, available: true, reason: `cached: ${cached.origin}` } : await offer(version, options),
    );
  }
  return offers;
}

/** Where releases are kept and in which order sources are asked. */
function places(options: ReleaseOptions) {
  const cache = options.cache ?? cacheFolder();
  return { cache, root: releaseRoot(options), sources: options.sources ?? everySource };
}

function releaseRoot(options: ReleaseOptions): string {
  return join(options.cache ?? cacheFolder(), 'releases');
}

async function readRelease(root: string, version: string): Promise<Release | undefined> {
  const dir = join(root, `v${version}`);
  const file = `${releaseName(version)}.tar.gz`;
  const sha256sums = join(dir, 'SHA256SUMS');
  const sums = await readFile(sha256sums, 'utf8').catch(() => '');
  const sha256 = sumOf(sums, file);
  if (sha256 === undefined) return undefined;
  const origin = (await readFile(join(dir, 'ORIGIN'), 'utf8').catch(() => 'put there by hand')).trim();
  return { version, root, dir, tarball: join(dir, file), sha256sums, sha256, origin };
}

async function offer(version: string, options: ReleaseOptions): Promise<ReleaseOffer> {
  const { cache, sources } = places(options);
  const refusals: string[] = [];
  for (const source of sources) {
    const refusal = await source.refuse(version, cache).catch(errorMessage);
    if (refusal === undefined) return { version, available: true, reason: source.name };
    refusals.push(`${source.name}: ${refusal}`);
  }
  return { version, available: false, reason: refusals.join('; ') };
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
