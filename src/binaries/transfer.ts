/** One HTTP transfer into a file, that goes on where an earlier one stopped. */
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isSystemError } from '../domain/system-error.ts';

import type { HttpClient, HttpResponse } from './http.ts';

export interface Transfer {
  readonly url: string;
  /** Appended to where the server allows it, else written anew. */
  readonly part: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Octets so far, and in all where the server says. */
  readonly onProgress: (received: number, total: number | undefined) => void;
}

/** An answer that is no file: 404, 503, … */
export class HttpStatusError extends Error {
  readonly status: number;

  constructor(url: string, status: number) {
    super(`${url}: HTTP ${status}`);
    this.status = status;
  }
}

/**
 * Fetches the rest of `url` into `part`. Returns whether what was there before was kept. Rejects on a cut (what arrived
 * stays in `part`), on an answer that is no file, and past `maxBytes`.
 */
export async function transfer(http: HttpClient, request: Transfer): Promise<{ readonly resumed: boolean }> {
  const { url, part, signal } = request;
  const present = await sizeOf(part);
  const range = present === 0 ? {} : { range: `bytes=${present}-` };
  const response = await http.get(url, { ...range, 'accept-encoding': 'identity' }, signal);
  const resumed = present > 0 && response.status === 206 && startsAt(response, present);
  if (response.status === 416 || (response.status === 206 && !resumed)) {
    // What is here is longer than, or no part of, what the server has.
    discard(response);
    if (present === 0) throw new HttpStatusError(url, response.status);
    await rm(part, { force: true });
    return transfer(http, request);
  }
  if (response.status !== 200 && response.status !== 206) {
    discard(response);
    throw new HttpStatusError(url, response.status);
  }
  await save(response, request, resumed ? present : 0);
  return { resumed };
}

async function save(response: HttpResponse, request: Transfer, from: number): Promise<void> {
  const length = Number(response.headers['content-length']);
  const total = Number.isSafeInteger(length) ? from + length : undefined;
  let received = from;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      request.onProgress(received, total);
      done(received > request.maxBytes ? tooLarge(request) : null, chunk);
    },
  });
  if (total !== undefined && total > request.maxBytes) {
    discard(response);
    throw tooLarge(request);
  }
  const file = createWriteStream(request.part, { flags: from === 0 ? 'w' : 'a', mode: 0o644, flush: true });
  await pipeline(response.body, meter, file, { signal: request.signal });
}

function tooLarge({ url, maxBytes }: Transfer): Error {
  return new Error(`${url}: is larger than ${maxBytes} bytes, which no release of etcd is`);
}

function startsAt(response: HttpResponse, offset: number): boolean {
  return new RegExp(`^bytes ${offset}-`).test(String(response.headers['content-range'] ?? ''));
}

function discard(response: HttpResponse): void {
  response.body.on('error', () => undefined).destroy();
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
}
