/** etcd's official release layout: `vX/etcd-vX-linux-ARCH.tar.gz` with one top folder, and `SHA256SUMS` beside it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { runProgram } from './program.ts';

/** The name of a release's top folder, and of its tarball less `.tar.gz`. */
export function releaseName(version: string): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch === 'ppc64' ? 'ppc64le' : process.arch;
  return `etcd-v${version}-linux-${arch}`;
}

/**
 * Packs the folder `releaseName(version)` inside `folder` into its tarball, the same bytes for the same binaries, with
 * SHA256SUMS beside it. Throws `step-failed` when the `etcd` in it calls itself another version.
 */
export async function packRelease(version: string, folder: string): Promise<void> {
  const name = releaseName(version);
  await assertVersion(version, join(folder, name, 'etcd'));
  const epoch = new Date(0);
  await utimes(join(folder, name), epoch, epoch);
  const tar = ['tar', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--mode=u=rwX,go=rX'];
  await runProgram([...tar, '--use-compress-program=gzip -n', '-cf', `${name}.tar.gz`, name], { cwd: folder });
  await writeFile(join(folder, 'SHA256SUMS'), `${await sha256(join(folder, `${name}.tar.gz`))}  ${name}.tar.gz\n`);
}

/** The hexadecimal sha256 of a file. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** The sha256 that a SHA256SUMS (as `shasum -a 256` writes it) has for a file; undefined when it is not listed. */
export function sumOf(sums: string, file: string): string | undefined {
  for (const line of sums.split('\n')) {
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (match?.[2] === file) return match[1];
  }
  return undefined;
}

async function assertVersion(version: string, etcd: string): Promise<void> {
  await stat(etcd);
  const said = await runProgram([etcd, '--version'], { timeoutMs: 20_000 });
  if (said.includes(`etcd Version: ${version}\n`)) return;
  throw new QuorateError('step-failed', `etcd ${version}: what was made calls itself ${said.split('\n')[0] ?? ''}`);
}
