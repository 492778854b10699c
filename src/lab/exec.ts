/** Running things inside a host without its sshd: the lab's own hands, for tests that break SSH or need to look behind it. */
import { QuorateError } from '../domain/errors.ts';
import { initOf } from './machine.ts';
import { type ProgramResult, tryProgram } from './program.ts';
import type { LabPlace } from './state.ts';

/** How a command is run inside a host. */
export interface ExecOptions {
  readonly stdin?: string | Uint8Array | undefined;
  /** Whose name it runs under; root by default. */
  readonly user?: string | undefined;
  /** 60 s by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A program with its arguments, or a POSIX sh script as one string. */
export type Command = readonly string[] | string;

const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'];

const enter = ['nsenter', '--all', '--target'];

/** Ends the command with everything it started when its time is over, or when nsenter is ended from here. */
const guard = ['setpriv', '--pdeathsig', 'TERM', 'timeout', '--kill-after', '1'];
const timedOut = 124;

/** Runs a command inside a host and returns how it ended; a non-zero status is a result. Throws `unreachable` if the host is off. */
export async function execOnHost(
  target: { readonly place: LabPlace; readonly host: string },
  command: Command,
  options: ExecOptions = {},
): Promise<ProgramResult> {
  const init = await initOf(target.place, target.host);
  if (init === undefined)
    throw new QuorateError('unreachable', `${target.host}: is not running`, { host: target.host });
  const timeoutMs = options.timeoutMs ?? 60_000;
  const argv = typeof command === 'string' ? ['sh', '-c', command] : command;
  const as = options.user === undefined ? [] : ['runuser', '-u', options.user, '--'];
  const home = `HOME=${options.user === undefined ? '/root' : `/home/${options.user}`}`;
  const began = performance.now();
  const result = await tryProgram(
    [...enter, String(init), ...guard, String(timeoutMs / 1000), 'env', '-i', ...environment, home, ...as, ...argv],
    { input: options.stdin, timeoutMs: timeoutMs + 5000, signal: options.signal },
  );
  // The command may have a status 124 of its own: only after the whole time does it mean that the time was over.
  if (result.status !== timedOut || performance.now() - began < timeoutMs) return result;
  throw new QuorateError('step-failed', `${target.host}: a lab command did not end within ${timeoutMs} ms`, {
    host: target.host,
    detail: result.stderr,
  });
}

/** Like {@link execOnHost}, but returns stdout and throws `step-failed` (stderr in `detail`) for any status but 0. */
export async function execOrThrow(
  target: { readonly place: LabPlace; readonly host: string },
  command: Command,
  options: ExecOptions = {},
): Promise<string> {
  const result = await execOnHost(target, command, options);
  if (result.status === 0) return result.stdout;
  throw new QuorateError('step-failed', `${target.host}: a lab command ended with status ${result.status ?? 'none'}`, {
    host: target.host,
    detail: result.stderr,
  });
}
