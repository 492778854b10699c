/** Ctrl-C in two stages: the first asks the run to stop after the current step, the second ends it at once. */

/**
 * A second signal this soon after the first is the same one: a terminal sends Ctrl-C to the whole foreground group, and npm passes on to its
 * child what it received itself.
 */
const ECHO_MS = 250;

/** SIGHUP comes when the terminal is closed: nobody watches any more, so it counts as a wish to stop. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Interrupt = (typeof signals)[number];

/** The part of `process` that is needed. */
interface SignalSource {
  on(signal: Interrupt, listener: (signal: Interrupt) => void): unknown;
  off(signal: Interrupt, listener: (signal: Interrupt) => void): unknown;
}

export interface InterruptOptions {
  readonly source: SignalSource;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Stop after the current step; say so. */
  readonly onFirst: (signal: Interrupt) => void;
  /** End now: give the terminal back and exit with 130. Called once. */
  readonly onSecond: (signal: Interrupt) => void;
}

/** Watches from now on; the result stops watching, after which signals end the process as usual. */
export function watchInterrupts(options: InterruptOptions): () => void {
  let firstAt: number | undefined;
  let finished = false;
  const listener = (signal: Interrupt) => {
    if (finished) return;
    if (firstAt === undefined) {
      firstAt = options.now();
      options.onFirst(signal);
    } else if (options.now() - firstAt >= ECHO_MS) {
      finished = true;
      options.onSecond(signal);
    }
  };
  for (const signal of signals) options.source.on(signal, listener);
  return () => {
    for (const signal of signals) options.source.off(signal, listener);
  };
}
