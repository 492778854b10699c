/** Signals during a run: the first asks it to stop after the current step, the second ends it at once. */
import { watchInterrupts } from '../ui/interrupt.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

export interface RunInterrupts {
  /** Aborted by the second signal. */
  readonly signal: AbortSignal;
  /** Aborted by the first: what only waits may end at once. */
  readonly stopping: AbortSignal;
  close(): void;
}

/** Watches signals from now on, until closed. */
export function openRun(ui: Ui, surroundings: Process): RunInterrupts {
  const controller = new AbortController();
  const stopping = new AbortController();
  const stop = watchInterrupts({
    source: process,
    now: surroundings.now,
    onFirst: () => {
      stopping.abort();
      ui.note('stopping after the current step; once more ends it at once');
    },
    onSecond: () => {
      controller.abort();
      ui.abort();
      process.exit(130);
    },
  });
  return { signal: controller.signal, stopping: stopping.signal, close: stop };
}
