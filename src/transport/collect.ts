/** Runs a process to its end: input, output, time limit, interruption. */
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { QuorateError } from '../domain/errors.ts';
import type { LaunchedProcess } from './launch.ts';
import type { RemoteResult, RunOptions } from './transport.ts';

/** Names the run in errors. */
export interface Run {
  readonly host: string;
  readonly label: string;
}

/** More output than this of one script is taken for a mistake. */
const outputLimitBytes = 64 * 1024 * 1024;

/**
 * The result of a process that was started for it. On a time limit, an interruption, too much output or unreadable input
 * the process is closed and a QuorateError thrown.
 */
export async function collect(process: LaunchedProcess, run: Run, options: RunOptions): Promise<RemoteResult> {
  const limits = watch(process, run, options);
  const finished = Promise.all([
    process.done,
    readAll(process.stdout, run),
    readAll(process.stderr, run),
    feed(process.stdin, options.input, run),
  ]);
  finished.catch(() => undefined);
  try {
    const [exit, stdout, stderr] = await Promise.race([finished, limits.exceeded]);
    return { status: exit.status, signal: exit.signal, stdout, stderr };
  } catch (error) {
    process.kill();
    throw error;
  } finally {
    limits.stop();
  }
}

interface Limits {
  /** Never resolves; rejects when a limit is exceeded. */
  readonly exceeded: Promise<never>;
  stop(): void;
}

function watch(process: LaunchedProcess, run: Run, { timeoutMs, signal }: RunOptions): Limits {
  let stop = (): void => undefined;
  const exceeded = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(timedOut(process, run, timeoutMs)), timeoutMs);
    const abort = (): void =>
      reject(new QuorateError('interrupted', `${run.host}: interrupted while ${run.label}`, { host: run.host }));
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  exceeded.catch(() => undefined);
  return { exceeded, stop: () => stop() };
}

function timedOut(process: LaunchedProcess, { host, label }: Run, timeoutMs: number): QuorateError {
  const waited = process.begun() ? '' : '; the script never began: its login shell or sudo is waiting for something';
  return new QuorateError('step-failed', `${host}: ${label}: timed out after ${timeoutMs / 1000} s${waited}`, {
    host,
    step: label,
  });
}

async function readAll(stream: Readable, { host, label }: Run): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    sizeBytes += chunk.length;
    if (sizeBytes > outputLimitBytes) {
      const limit = `${outputLimitBytes / 1024 / 1024} MiB`;
      throw new QuorateError('step-failed', `${host}: ${label}: printed more than ${limit}`, { host, step: label });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A process may end before it has read everything: that is its own affair, and its status tells. */
async function feed(stdin: Writable, input: RunOptions['input'], { host, label }: Run): Promise<void> {
  if (!(input instanceof Readable)) {
    stdin.end(input);
    return;
  }
  try {
    await pipeline(input, stdin);
  } catch (error) {
    if (stdin.destroyed && !isOwnError(input, error)) return;
    throw new QuorateError('step-failed', `${host}: ${label}: its input cannot be read`, {
      host,
      step: label,
      cause: error,
    });
  }
}

/** Whether the input itself failed; pipeline also destroys it with an error when the process ends early. */
function isOwnError(input: Readable, error: unknown): boolean {
  const premature = error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
  return input.errored !== null && !premature;
}
