/** A mirror of etcd releases for lab hosts: a small static HTTP server on the lab's bridge. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { QuorateError } from '../domain/errors.ts';

/** A mirror that runs in this process. */
export interface Mirror {
  /** Without a trailing slash: `http://198.18.7.1:40123`. */
  readonly url: string;
  /** What was asked for, in order: `GET /v3.5.35/SHA256SUMS 200`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Which part of a file is sent. */
export interface ByteRange {
  readonly start: number;
  /** The last byte, inclusive. */
  readonly end: number;
}

/** How a mirror can be made to fail, for tests of interrupted downloads. */
export interface MirrorOptions {
  /** Cuts each connection after so many bytes of a body; a download that asks for the rest gets on. */
  readonly cutAfterBytes?: number | undefined;
}

/** Serves the files under `folder` at `address`, on a port that is free. Throws `step-failed` when it cannot listen. */
export async function startMirror(folder: string, address: string, options: MirrorOptions = {}): Promise<Mirror> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    respond({ folder, request, response, options })
      .catch(() => response.destroy())
      .finally(() => requests.push(`${request.method} ${request.url} ${response.statusCode}`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new QuorateError('step-failed', `${address}: cannot listen`, { cause })));
    server.listen(0, address, resolve);
  });
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads a `Range` header of one range (RFC 9110, 14.1.2) for a file of `sizeBytes`: undefined for none or one to ignore. */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return start >= sizeBytes || end < start ? 'unsatisfiable' : { start, end };
}

interface Exchange {
  readonly folder: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly options: MirrorOptions;
}

async function respond({ folder, request, response, options }: Exchange): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405);
  const path = new URL(request.url ?? '/', 'http://mirror').pathname;
  const file = join(folder, normalize(decodeURIComponent(path)));
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return end(response, 404);
  const range = parseRange(request.headers.range, found.size);
  response.setHeader('accept-ranges', 'bytes');
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${found.size}`);
    return end(response, 416);
  }
  const part = range ?? { start: 0, end: found.size - 1 };
  response.statusCode = range === undefined ? 200 : 206;
  response.setHeader('content-length', part.end - part.start + 1);
  if (range !== undefined) response.setHeader('content-range', `bytes ${part.start}-${part.end}/${found.size}`);
  if (request.method === 'HEAD' || found.size === 0) return end(response, response.statusCode);
  await sendPart(file, part, { response, options });
}

async function sendPart(file: string, part: ByteRange, { response, options }: Pick<Exchange, 'response' | 'options'>) {
  const cut = options.cutAfterBytes;
  const last = cut === undefined ? part.end : Math.min(part.end, part.start + cut - 1);
  await pipeline(createReadStream(file, { start: part.start, end: last }), response, { end: last === part.end });
  if (last < part.end) response.socket?.destroySoon();
}

function end(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}
