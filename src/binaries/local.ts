/** Binaries that lie on the operator's machine: a release tarball, or a folder. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Architecture, Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { binaryNames } from '../domain/layout.ts';
import { isSystemError } from '../domain/system-error.ts';
import { checksumMismatch, type KnownChecksum } from './checksum.ts';
import { packDirectory } from './directory-tarball.ts';
import { digestFile, type FileDigest, MAX_TARBALL_BYTES } from './file-digest.ts';

import type { BinaryPlan } from './plan.ts';
import { sumOf } from './sums.ts';

type FilePlan = Extract<BinaryPlan, { readonly kind: 'file' }>;

/** A tarball on this machine that may be pushed. */
export interface FetchedBinary extends FileDigest {
  readonly path: string;
}

export interface LocalRequest {
  readonly cluster: Cluster;
  readonly architecture: Architecture;
  readonly plan: FilePlan;
  readonly known: KnownChecksum | undefined;
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

/** The tarball as it stands (the path itself, or under its official name in that folder), or the folder packed; checked where a sha256 is known or a SHA256SUMS lies beside it. */
export async function takeLocal(request: LocalRequest): Promise<FetchedBinary> {
  const { plan, known, signal } = request;
  const tarball = (await isDirectory(plan.path)) ? await tarballIn(plan) : plan.path;
  const fetched = tarball === undefined ? await pack(request) : await asItStands({ ...plan, path: tarball }, signal);
  if (fetched.digest === undefined) throw missing(plan.path);
  const expected = known ?? fetched.beside;
  if (expected !== undefined && fetched.digest.sha256 !== expected.sha256) {
    throw checksumMismatch(fetched.path, fetched.digest.sha256, expected);
  }
  return { path: fetched.path, ...fetched.digest };
}

/** A folder may hold releases of several versions under their official names. */
async function tarballIn({ path, name }: FilePlan): Promise<string | undefined> {
  const tarball = join(path, name);
  try {
    await stat(tarball);
    return tarball;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function asItStands(plan: FilePlan, signal: AbortSignal) {
  if ((await stat(plan.path)).size > MAX_TARBALL_BYTES) {
    throw new QuorateError(
      'refused',
      `${plan.path}: is larger than ${MAX_TARBALL_BYTES} bytes, which no release of etcd is`,
      {
        hint: 'binaries.path must name a release tarball as etcd publishes it',
      },
    );
  }
  return { path: plan.path, digest: await digestFile(plan.path, signal), beside: await sumBeside(plan) };
}

async function pack({ cluster, architecture, plan, cacheDir, signal }: LocalRequest) {
  const path = join(cacheDir, 'packed', plan.name);
  const digest = await packDirectory({
    directory: plan.path,
    names: binaryNames(cluster),
    top: plan.name.replace(/\.tar\.gz$/, ''),
    architecture,
    path,
    signal,
  });
  return { path, digest, beside: undefined };
}

/** What a SHA256SUMS in the tarball's folder says of it, as in a copied release. */
async function sumBeside({ path, name }: FilePlan): Promise<KnownChecksum | undefined> {
  const sums = join(dirname(path), 'SHA256SUMS');
  try {
    const sha256 = sumOf(await readFile(sums, 'utf8'), name);
    return sha256 === undefined ? undefined : { sha256, from: sums };
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw missing(path);
    throw error;
  }
}

function missing(path: string): QuorateError {
  return new QuorateError('inventory', `${path}: there is no such file or folder`, {
    hint: 'binaries.path must name a release tarball, a folder with tarballs of releases, or one with etcd, etcdctl (and etcdutl from 3.5 on)',
  });
}
