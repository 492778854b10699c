/** A mirror on loopback that can cut answers, ignore ranges and give other bytes. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { cluster } from '../render/cluster.ts';

export const version = '3.6.16';
export const tarball = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 251));
export const sha256 = digestOf(tarball);
export const name = `etcd-v${version}-linux-amd64.tar.gz`;

export interface Mirror {
  readonly url: string;
  /** `METHOD PATH RANGE` of every request. */
  readonly requests: string[];
  /** What it gives by path; a function answers by itself. */
  readonly files: Map<string, Buffer | string | ((request: IncomingMessage, response: ServerResponse) => void)>;
  close(): Promise<void>;
}

export async function startMirror(): Promise<Mirror> {
  const requests: string[] = [];
  const files: Mirror['files'] = new Map();
  files.set(`/v${version}/${name}`, tarball);
  files.set(`/v${version}/SHA256SUMS`, `${'0'.repeat(64)}  other.tar.gz\n${sha256}  ${name}\n`);
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(`${request.method} ${path} ${request.headers.range ?? ''}`.trim());
    const file = files.get(path);
    if (typeof file === 'function') file(request, response);
    else if (file === undefined) response.writeHead(404).end('no such file');
    else answer(Buffer.from(file), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${port}`, requests, files, close };
}

/** The whole file, or the range that was asked for. */
export function answer(content: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) response.writeHead(200, { 'content-length': content.length }).end(content);
  else if (from >= content.length) response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
  else {
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { 'content-length': content.length - from, 'content-range': range });
    response.end(content.subarray(from));
  }
}

/** Announces the whole content, sends `octets` of it from where it was asked to start, and cuts the connection. */
export function cutAfter(content: Buffer, octets: number) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': content.length - from,
      ...(from === 0 ? {} : range),
    });
    response.write(content.subarray(from, from + octets), () => setTimeout(() => response.destroy(), 20));
  };
}

/** A folder of its own, a cluster that uses `url`, and options to fetch with. */
export function prepare(url: string, changes: Partial<Cluster> = {}) {
  const folder = mkdtempSync(`${tmpdir()}/quorate-binaries-`);
  const desired = cluster(version, {
    binaries: { kind: 'mirror', url, via: 'operator' },
    lockFile: `${folder}/quorate.lock.yml`,
    ...changes,
  });
  const signal = new AbortController().signal;
  const options = { cacheDir: `${folder}/cache`, environment: {}, signal, retryDelayMs: 1 };
  return { folder, desired, options, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function digestOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
