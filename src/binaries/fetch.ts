/** Brings the tarball of one release to the operator's machine: whole, checked, and known to the lock file. */
import { join } from 'node:path';
import type { Architecture, Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { type KnownChecksum, knownChecksum } from './checksum.ts';
import { downloadTarball } from './download.ts';
import { openHttp } from './http.ts';
import { learnChecksum } from './learn.ts';
import { type FetchedBinary, takeLocal } from './local.ts';
import { addToReleaseLock, type ReleaseLock, readReleaseLock } from './lock-file.ts';
import { type BinaryPlan, planBinary } from './plan.ts';

export interface FetchOptions {
  /** Holds `releases/`: see {@link cacheDirectory}. */
  readonly cacheDir: string;
  /** For proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
  /** Between attempts at one address; default 1 s. */
  readonly retryDelayMs?: number | undefined;
}

/** `$XDG_CACHE_HOME/quorate`, or `~/.cache/quorate` (XDG Base Directory: a relative value counts for nothing). */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>>, home: string): string {
  const base = environment['XDG_CACHE_HOME'] ?? '';
  return join(base.startsWith('/') ? base : join(home, '.cache'), 'quorate');
}

/**
 * The release of the cluster's version for one architecture. The sha256 is always checked: against the inventory, else the
 * lock file, else SHA256SUMS, which the lock file then keeps. Throws QuorateError `refused` on other bytes, `unreachable`
 * where nothing can be had, `inventory` for a local source that is none; an Error for binaries that are on the hosts.
 */
export async function fetchBinary(
  cluster: Cluster,
  architecture: Architecture,
  options: FetchOptions,
): Promise<FetchedBinary> {
  const lock = await readReleaseLock(cluster.lockFile);
  const plan = planBinary(cluster, architecture, lock);
  if (plan.kind === 'system') throw new Error('binaries that are on the hosts are not fetched');
  const known = knownChecksum(cluster, architecture, lock);
  const fetched =
    plan.kind === 'file'
      ? await takeLocal({ cluster, architecture, plan, known, cacheDir: options.cacheDir, signal: options.signal })
      : await download(cluster, plan, known, options);
  if (known === undefined) await keep(cluster, architecture, fetched.sha256, options);
  return fetched;
}

/** The sha256 that a host which downloads by itself must find: as known, or learnt from SHA256SUMS now and kept. */
export async function requireChecksum(
  cluster: Cluster,
  architecture: Architecture,
  options: FetchOptions,
): Promise<string> {
  const lock = await readReleaseLock(cluster.lockFile);
  const plan = planBinary(cluster, architecture, lock);
  if (plan.kind !== 'download') throw new Error('only releases and mirrors are downloaded by hosts');
  if (plan.sha256 !== undefined) return plan.sha256;
  const { sha256 } = await learn(plan, options);
  await keep(cluster, architecture, sha256, options);
  return sha256;
}

type DownloadPlan = Extract<BinaryPlan, { readonly kind: 'download' }>;

async function download(
  cluster: Cluster,
  plan: DownloadPlan,
  known: KnownChecksum | undefined,
  options: FetchOptions,
): Promise<FetchedBinary> {
  const expected = known ?? (await learn(plan, options));
  const path = join(
    options.cacheDir,
    'releases',
    `v${cluster.version}`,
    `${expected.sha256.slice(0, 16)}-${plan.name}`,
  );
  const http = await openHttp(options.environment);
  try {
    const digest = await downloadTarball(http, {
      urls: plan.urls.tarballs,
      path,
      expected,
      signal: options.signal,
      onProgress: options.onProgress ?? (() => undefined),
      retryDelayMs: options.retryDelayMs ?? 1_000,
    });
    return { path, ...digest };
  } finally {
    await http.close();
  }
}

async function learn(plan: DownloadPlan, options: FetchOptions): Promise<KnownChecksum> {
  const http = await openHttp(options.environment);
  try {
    return await learnChecksum(http, plan.urls.sums, plan.name, options.signal);
  } finally {
    await http.close();
  }
}

async function keep(
  cluster: Cluster,
  architecture: Architecture,
  sha256: string,
  { signal }: FetchOptions,
): Promise<ReleaseLock> {
  try {
    return await addToReleaseLock(cluster.lockFile, { version: cluster.version, architecture, sha256 }, signal);
  } catch (error) {
    if (error instanceof QuorateError || signal.aborted) throw error;
    throw new QuorateError('step-failed', `${cluster.lockFile}: the sha256 of the release cannot be kept there`, {
      cause: error,
      hint: `make its folder writable, or state it in the inventory: binaries.sha256.${architecture}: ${sha256}`,
    });
  }
}
