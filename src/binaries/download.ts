/** Brings a release into the operator's cache: resumed, checked, and only then under its name. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { putInPlace } from '../files/replace.ts';
import { whileMaking } from './cache-lock.ts';
import { checksumMismatch, type KnownChecksum } from './checksum.ts';
import { digestFile, type FileDigest, MAX_TARBALL_BYTES } from './file-digest.ts';
import type { HttpClient } from './http.ts';
import { HttpStatusError, transfer } from './transfer.ts';

const ATTEMPTS = 3;

export interface Download {
  /** Tried in order. */
  readonly urls: readonly string[];
  /** Where the tarball stands once it is whole and right. */
  readonly path: string;
  readonly expected: KnownChecksum;
  readonly signal: AbortSignal;
  readonly onProgress: (received: number, total: number | undefined) => void;
  /** Between attempts at one address. */
  readonly retryDelayMs: number;
}

/**
 * The file at `path` with the expected sha256, fetched unless it is there; a damaged one is fetched anew. Two processes
 * fetch it once. Throws QuorateError `unreachable` where no address gives it, `refused` where one gives other bytes.
 */
export async function downloadTarball(http: HttpClient, download: Download): Promise<FileDigest> {
  const { path, signal, expected } = download;
  await mkdir(dirname(path), { recursive: true });
  return whileMaking(path, signal, async () => {
    const present = await digestFile(path, signal);
    if (present?.sha256 === expected.sha256) return present;
    const part = `${path}.part`;
    const fetched = await fetchFirst(http, download, part);
    await putInPlace(part, path);
    return fetched;
  });
}

async function fetchFirst(http: HttpClient, download: Download, part: string): Promise<FileDigest> {
  const failures: QuorateError[] = [];
  for (const url of download.urls) {
    try {
      return await fetchChecked(http, download, url, part);
    } catch (error) {
      download.signal.throwIfAborted();
      failures.push(toFailure(url, error));
    }
  }
  const refusal = failures.find(({ code }) => code === 'refused' || code === 'untrusted');
  throw refusal ?? combineErrors('no address gives the release', failures);
}

/** A part left by an earlier run may be of other bytes: what was resumed and is wrong is fetched once more from the start. */
async function fetchChecked(http: HttpClient, download: Download, url: string, part: string): Promise<FileDigest> {
  const resumed = await fetchPatiently(http, download, url, part);
  const fetched = await digestFile(part, download.signal);
  if (fetched?.sha256 === download.expected.sha256) return fetched;
  await rm(part, { force: true });
  if (resumed) return fetchChecked(http, download, url, part);
  throw checksumMismatch(url, fetched?.sha256 ?? 'of nothing', download.expected);
}

/** Attempts go on where the last one was cut; answers that another attempt would not change end them. */
async function fetchPatiently(http: HttpClient, download: Download, url: string, part: string): Promise<boolean> {
  const { signal, onProgress } = download;
  for (let attempt = 1; ; attempt++) {
    try {
      const { resumed } = await transfer(http, { url, part, maxBytes: MAX_TARBALL_BYTES, signal, onProgress });
      return resumed;
    } catch (error) {
      const final = error instanceof QuorateError || (error instanceof HttpStatusError && error.status < 500);
      if (final || signal.aborted || attempt === ATTEMPTS) throw error;
      await sleep(download.retryDelayMs * attempt, undefined, { signal });
    }
  }
}

function toFailure(url: string, error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new QuorateError('unreachable', text.startsWith(url) ? text : `${url}: ${text}`, {
    cause: error,
    hint: 'set HTTPS_PROXY, or take the release from elsewhere: binaries: {source: mirror, url: …} or {source: file, path: …}',
  });
}
