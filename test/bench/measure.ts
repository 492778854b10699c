/** Running a program under the clock, and the statistics of several runs. */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

/** One run that ended with exit status 0. */
export interface Measured {
  /** From the start of the process to its end. */
  readonly wallMs: number;
  /** Peak resident memory of a Node program that was asked for it; undefined for others. */
  readonly peakBytes: number | undefined;
  readonly stdout: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A file for stdin; nothing unless told. */
  readonly input?: string;
  /** Has a Node program report its peak memory, which costs it a millisecond. */
  readonly peak?: boolean;
  /** 10 minutes unless told. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** Median, smallest and largest of several values. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

const peakReporter = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,String(process.resourceUsage().maxRSS)))`;

/** Runs a program to its end. @throws Error with the program's last words for any status but 0 */
export async function measure(argv: readonly string[], options: RunOptions): Promise<Measured> {
  const [file = '', ...args] = argv;
  const { NODE_EXTRA_CA_CERTS: _slow, NODE_OPTIONS: _other, ...inherited } = process.env;
  const node = options.peak === true ? ['--import', peakReporter] : [];
  const startedAt = performance.now();
  const child = spawn(file, [...node, ...args], {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    signal: options.signal,
    timeout: options.timeoutMs ?? 600_000,
  });
  const [stdout, stderr, peak] = child.stdio.slice(1).map(textOf);
  if (options.input === undefined) child.stdin?.end();
  else createReadStream(options.input).pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const wallMs = performance.now() - startedAt;
  const kibibytes = Number((await peak) || Number.NaN);
  if (status !== 0) {
    throw new Error(`${argv.slice(0, 4).join(' ')}: exit status ${status}\n${await stdout}\n${await stderr}`);
  }
  return {
    wallMs,
    peakBytes: Number.isNaN(kibibytes) ? undefined : kibibytes * 1024,
    stdout: (await stdout) ?? '',
  };
}

/** The spread of values. @throws RangeError for none */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low, high, min, max] = [sorted[middle - 1], sorted[middle], sorted[0], sorted.at(-1)];
  if (high === undefined || min === undefined || max === undefined) throw new RangeError('nothing was measured');
  const median = sorted.length % 2 === 0 && low !== undefined ? (low + high) / 2 : high;
  return { median, min, max, count: sorted.length };
}

async function textOf(stream: unknown): Promise<string> {
  const chunks: Buffer[] = [];
  if (isReadable(stream)) for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && Symbol.asyncIterator in stream;
}
