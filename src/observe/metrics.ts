/** Fetches members' metrics: plain http on each host's own loopback, through its connection. */
import { addAbortSignal } from 'node:stream';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { MetricsFacts } from '../domain/metrics.ts';
import type { Connection } from '../transport/transport.ts';
import { parseMetrics } from './parse-metrics.ts';

const TIMEOUT_MS = 5_000;
/** etcd's own metrics take a hundredth of it. */
const LIMIT_BYTES = 8 * 1_048_576;

/** The text of each member's metrics by controller name; a member whose metrics can't be read is left out. */
export async function fetchMetrics(
  cluster: Cluster,
  connections: ReadonlyMap<string, Connection>,
): Promise<Readonly<Record<string, string>>> {
  const all = cluster.controllers.map(async ({ name, metricsPort, listenAddresses }) => {
    const connection = connections.get(name);
    if (connection === undefined) return [];
    const six = listenAddresses.length > 0 && listenAddresses.every((each) => each.includes(':'));
    const found = await fetchText(connection, six ? '::1' : '127.0.0.1', metricsPort);
    return found === undefined ? [] : [[name, found] as const];
  });
  return Object.fromEntries((await Promise.all(all)).flat());
}

/** What those texts say. */
export function readMetrics(texts: Readonly<Record<string, string>>): MetricsFacts {
  return Object.fromEntries(Object.entries(texts).map(([host, each]) => [host, parseMetrics(each)]));
}

/** A port on which nothing answers is what a stopped member has: no error. */
async function fetchText(connection: Connection, address: string, port: number): Promise<string | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const stream = addAbortSignal(signal, await connection.tunnel(address, port));
    // HTTP/1.0 has no chunks: the answer ends where the stream does.
    stream.end('GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n');
    const answer = await readAnswer(stream);
    const body = answer.indexOf('\r\n\r\n');
    return /^HTTP\/1\.\d 200 /.test(answer) && body >= 0 ? answer.slice(body + 4) : undefined;
  } catch (error) {
    if (error instanceof QuorateError || isNetworkError(error) || signal.aborted) return undefined;
    throw error;
  }
}

/** The answer, and a line at its end that says so where it was cut. */
async function readAnswer(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    const octets = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    chunks.push(octets);
    sizeBytes += octets.length;
    if (sizeBytes <= LIMIT_BYTES) continue;
    const kept = Buffer.concat(chunks).subarray(0, LIMIT_BYTES);
    const whole = kept.toString('utf8', 0, kept.lastIndexOf('\n') + 1);
    return `${whole}# quorate: cut at ${LIMIT_BYTES / 1_048_576} MiB, which no etcd's metrics reach\n`;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
