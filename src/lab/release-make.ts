/** Making one etcd release from the sources there are. */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { releaseName } from './release-pack.ts';
import type { MakeOptions, ReleaseSource } from './release-source.ts';

/** Where a release is put and who is asked for it, in which order. */
export interface ReleaseOrder extends MakeOptions {
  readonly root: string;
  readonly sources: readonly ReleaseSource[];
}

/**
 * Puts a release into its place under `root`, whole or not at all, from the first source that can. The caller holds
 * the lock of `root`. Throws `step-failed` with what each source said in `detail`.
 */
export async function makeRelease(version: string, order: ReleaseOrder): Promise<void> {
  const { root } = order;
  const refusals: string[] = [];
  for (const source of order.sources) {
    const refusal = await makeFrom(source, version, order);
    if (refusal === undefined) return;
    refusals.push(`${source.name}: ${refusal}`);
  }
  throw new QuorateError('step-failed', `etcd ${version}: cannot be had on this machine`, {
    detail: refusals.join('\n'),
    hint: `put ${releaseName(version)}.tar.gz and SHA256SUMS into ${join(root, `v${version}`)}`,
  });
}

/** Why a source failed; undefined when the release is in its place, which it enters whole or not at all. */
async function makeFrom(source: ReleaseSource, version: string, order: ReleaseOrder): Promise<string | undefined> {
  const { root } = order;
  await removeLeftovers(root);
  // A name of its own: a build whose quorate was killed may still be writing into the one before.
  const temporary = await mkdtemp(join(root, '.making-'));
  try {
    const refusal = await source.refuse(version, order.cache);
    if (refusal !== undefined) return refusal;
    const origin = await source.make(version, temporary, order);
    await writeFile(join(temporary, 'ORIGIN'), `${origin}\n`);
    await chmod(temporary, 0o755);
    await rm(join(root, `v${version}`), { recursive: true, force: true });
    await rename(temporary, join(root, `v${version}`));
    return undefined;
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
    return error.message;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeLeftovers(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const name of await readdir(root)) {
    if (name.startsWith('.making-')) await rm(join(root, name), { recursive: true, force: true });
  }
}
