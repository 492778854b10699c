/** Programs of this machine, run for the lab: no shell, output captured, failures told as QuorateErrors. */
import { execa } from 'execa';
import { QuorateError } from '../domain/errors.ts';

/** What a program is given besides its arguments. */
export interface ProgramOptions {
  readonly input?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a program ended; `status` is undefined when a signal ended it. */
export interface ProgramResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end and returns stdout. Throws `step-failed` (stderr in `detail`) for any status but 0. */
export async function runProgram(argv: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const result = await tryProgram(argv, options);
  if (result.status === 0) return result.stdout;
  const words = argv.slice(0, 3).join(' ');
  throw new QuorateError(
    'step-failed',
    `${words}: exit status ${result.status ?? 'none'}: ${lastLine(result.stderr)}`,
    {
      detail: result.stderr,
    },
  );
}

/** Runs to the end; a non-zero status is a result. Throws `step-failed` when it cannot start or outlives `timeoutMs`. */
export async function tryProgram(argv: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  const [file = '', ...args] = argv;
  const result = await execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 64 * 1024 * 1024,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  if (result.isCanceled) throw new QuorateError('interrupted', `${file}: interrupted`, { cause: result.cause });
  if (result.timedOut) throw new QuorateError('step-failed', `${file}: no end within ${options.timeoutMs} ms`);
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new QuorateError('step-failed', `${file}: cannot be started`, { cause: result.cause });
  }
  return { status: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
