/** Learns a release's sha256 on first use: from the SHA256SUMS beside it. */
import type { Readable } from 'node:stream';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { KnownChecksum } from './checksum.ts';
import type { HttpClient } from './http.ts';
import { sumOf } from './sums.ts';

const MAX_SUMS_BYTES = 64 * 2 ** 10;

/**
 * The sha256 of `name` by the first SHA256SUMS that can be had. Throws QuorateError `unreachable` where none can, and
 * `untrusted` where one has no line for it: another address is not asked then.
 */
export async function learnChecksum(
  http: HttpClient,
  urls: readonly string[],
  name: string,
  signal: AbortSignal,
): Promise<KnownChecksum> {
  const failures: QuorateError[] = [];
  for (const url of urls) {
    const sums = await readSums(http, url, signal);
    if (sums instanceof QuorateError) {
      failures.push(sums);
      continue;
    }
    const sha256 = sumOf(sums, name);
    if (sha256 !== undefined) return { sha256, from: url };
    throw new QuorateError('untrusted', `${url}: has no line for ${name}, or contradicting ones`, {
      hint: 'is there such a release for this architecture? Otherwise state binaries.sha256 in the inventory',
    });
  }
  throw combineErrors('no SHA256SUMS can be had, and no sha256 is known yet', failures);
}

async function readSums(http: HttpClient, url: string, signal: AbortSignal): Promise<string | QuorateError> {
  try {
    const { body, status } = await http.get(url, { 'accept-encoding': 'identity' }, signal);
    const sums = status === 200 ? await readShort(body) : undefined;
    if (sums !== undefined) return sums;
    body.on('error', () => undefined).destroy();
    return unreachable(url, status === 200 ? 'is too long for a SHA256SUMS' : `HTTP ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof QuorateError) throw error;
    return unreachable(url, error instanceof Error ? error.message : String(error));
  }
}

async function readShort(body: Readable): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    size += chunk.length;
    if (size > MAX_SUMS_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(url: string, problem: string): QuorateError {
  return new QuorateError('unreachable', `${url}: ${problem}`, {
    hint: 'set HTTPS_PROXY, use binaries: {source: mirror, url: …} or {source: file, path: …}, or state binaries.sha256 in the inventory',
  });
}
