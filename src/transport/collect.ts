/** Runs a process to its end: input, output, time limit, interruption. */
import { setMaxListeners } from 'node:events';
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

/** Starts the process; aborted, it must not send its script any more. */
export type Start = (givenUp: AbortSignal) => Promise<LaunchedProcess>;

/**
 * The result of the process that `start` starts. On a time limit (which counts from here), an interruption, too much
 * output or unreadable input the process is closed and a QuorateError thrown; on the host it may still run then, as it
 * may when a connection is lost.
 */
export async function collect(start: Start, run: Run, options: RunOptions): Promise<RemoteResult> {
  const giveUp = new AbortController();
  const progress: Progress = { begun: () => false };
  const limits = watch(progress, run, options);
  const starting = start(giveUp.signal);
  const finished = starting.then((process) => {
    progress.begun = process.begun;
    return finish(process, run, options.input);
  });
  finished.catch(() => undefined);
  try {
    return await Promise.race([finished, limits.exceeded]);
  } catch (error) {
    giveUp.abort();
    void starting.then(
      (process) => process.close(),
      () => undefined,
    );
    throw error;
  } finally {
    limits.stop();
  }
}

async function finish(process: LaunchedProcess, run: Run, input: RunOptions['input']): Promise<RemoteResult> {
  const [exit, stdout, stderr] = await Promise.all([
    process.done,
    readAll(process.stdout, run),
    readAll(process.stderr, run),
    feed(process.stdin, input, run),
  ]);
  return { status: exit.status, signal: exit.signal, stdout, stderr };
}

/** Whether the script has begun, which tells what a time limit was spent on. */
interface Progress {
  begun: () => boolean;
}

interface Limits {
  /** Never resolves; rejects when a limit is exceeded. */
  readonly exceeded: Promise<never>;
  stop(): void;
}

function watch(progress: Progress, run: Run, { timeoutMs, signal }: RunOptions): Limits {
  let stop = (): void => undefined;
  const exceeded = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(timedOut(progress, run, timeoutMs)), timeoutMs);
    const abort = (): void =>
      reject(new QuorateError('interrupted', `${run.host}: interrupted while ${run.label}`, { host: run.host }));
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    if (signal !== undefined) setMaxListeners(0, signal);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  exceeded.catch(() => undefined);
  return { exceeded, stop: () => stop() };
}

function timedOut(progress: Progress, { host, label }: Run, timeoutMs: number): QuorateError {
  const waited = progress.begun()
    ? ''
    : ' before the script began: its login shell, sudo or earlier scripts did not let it';
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
