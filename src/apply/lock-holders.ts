/** The scripts that hold a run's lock on hosts: they are told that the run lives, and watched whether they do. */
import { QuorateError } from '../domain/errors.ts';
import type { RemoteProcess } from '../transport/transport.ts';
import { BEAT, PATIENCE, RELEASE } from './lock-script.ts';

/** The script that holds the lock on one host for as long as it lives. */
export interface Holder {
  readonly host: string;
  readonly process: RemoteProcess;
}

const LOST_HINT =
  'nothing more was changed; see quorate status -i FILE, then run the same command again: it goes on from here';

/** How long a run may be silent before its holders end: see {@link PATIENCE}. */
const SILENCE_LIMIT_MS = PATIENCE.intervalS * PATIENCE.beatsMissed * 1000;

/** Says to every holder again and again that this run lives. A run that stood still too long never says so again: others may hold its lock. */
export function startBeating(holders: readonly Holder[], now: () => number) {
  let last = now();
  const silentMs = (): number => now() - last;
  const timer = setInterval(() => {
    if (silentMs() >= SILENCE_LIMIT_MS) return;
    last = now();
    for (const { process } of holders) process.stdin.write(BEAT);
  }, PATIENCE.intervalS * 1000).unref();
  const requireBeating = (): void => {
    if (silentMs() < SILENCE_LIMIT_MS) return;
    const stood = `this run stood still for ${Math.round(silentMs() / 1000)} s (limit ${SILENCE_LIMIT_MS / 1000} s)`;
    throw new QuorateError('locked', `${stood}: another run may have its lock by now`, { hint: LOST_HINT });
  };
  return { requireBeating, stop: () => clearInterval(timer) };
}

/** Notes the first holder that ends before it was told to. */
export function watchHolders() {
  let lost: QuorateError | undefined;
  let stopped = false;
  const note = (error: QuorateError): void => {
    if (!stopped) lost ??= error;
  };
  const requireAlive = (): void => {
    if (lost !== undefined) throw lost;
  };
  const add = ({ host, process }: Holder): void => {
    process.done.then(
      () => note(lockLost(host, 'locked', { message: 'the script that held it has ended' })),
      (cause: unknown) => note(lockLost(host, 'unreachable', cause)),
    );
  };
  return {
    add,
    requireAlive,
    stop: () => {
      stopped = true;
    },
  };
}

function lockLost(host: string, code: 'locked' | 'unreachable', cause: unknown): QuorateError {
  const said = cause instanceof Object && 'message' in cause ? String(cause.message) : String(cause);
  const why = said.startsWith(`${host}: `) ? said.slice(host.length + 2) : said;
  return new QuorateError(code, `${host}: this run holds its lock no more: ${why}`, { host, cause, hint: LOST_HINT });
}

/** Lets the script give the lock back; it has 5 s for that. */
export async function giveBack({ process }: Holder): Promise<void> {
  process.stdin.end(RELEASE);
  const gone = process.done.then(
    () => undefined,
    () => undefined,
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 5_000);
  });
  await Promise.race([gone, late]);
  clearTimeout(timer);
  process.close();
}
