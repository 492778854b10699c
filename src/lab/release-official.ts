/** etcd releases as their project publishes them. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { QuorateError } from '../domain/errors.ts';
import { releaseName, sha256, sumOf } from './release-pack.ts';
import type { MakeOptions, ReleaseSource } from './release-source.ts';

/** Where the etcd project publishes releases; any mirror of the same layout will do. */
const officialRoot = 'https://github.com/etcd-io/etcd/releases/download';

const answerTimeoutMs = 4000;

/** The official release, or a mirror of it under `root`. */
export function officialSource(root = officialRoot): ReleaseSource {
  return {
    name: 'official release',
    refuse: async (version) =>
      expectedSum(root, version).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
    make: (version, folder, options) => download(version, folder, { ...options, root }),
  };
}

async function download(version: string, folder: string, options: MakeOptions & { root: string }): Promise<string> {
  const file = `${releaseName(version)}.tar.gz`;
  const expected = await expectedSum(options.root, version, options.signal);
  options.say(`etcd ${version}: downloading the official release`);
  const { body } = await get(`${options.root}/v${version}/${file}`, options.signal);
  if (body === null) throw new QuorateError('step-failed', `etcd ${version}: ${file} is empty`);
  await pipeline(Readable.fromWeb(body), createWriteStream(join(folder, file)), { signal: options.signal });
  const actual = await sha256(join(folder, file));
  if (actual !== expected) {
    throw new QuorateError('step-failed', `etcd ${version}: ${file} has sha256 ${actual}, SHA256SUMS says ${expected}`);
  }
  await writeFile(join(folder, 'SHA256SUMS'), `${expected}  ${file}\n`);
  return 'official release';
}

async function expectedSum(root: string, version: string, signal?: AbortSignal): Promise<string> {
  const file = `${releaseName(version)}.tar.gz`;
  const sum = sumOf(await (await get(`${root}/v${version}/SHA256SUMS`, signal)).text(), file);
  if (sum !== undefined) return sum;
  throw new QuorateError('step-failed', `etcd ${version}: SHA256SUMS does not list ${file}`);
}

/** Asks, and gives up when nothing has answered in time; the body may take longer. */
async function get(url: string, signal: AbortSignal | undefined): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), answerTimeoutMs);
  try {
    const signals = [patience.signal, ...(signal === undefined ? [] : [signal])];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    if (!response.ok) throw new QuorateError('step-failed', `${url}: HTTP status ${response.status}`);
    return response;
  } catch (cause) {
    if (cause instanceof QuorateError) throw cause;
    throw new QuorateError('step-failed', `${url}: cannot be reached`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
