/** Signals during a run: the first asks it to stop after the current step, the second ends it at once. */
import { watchInterrupts } from '../ui/interrupt.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

export interface RunInterrupts {
  readonly signal: AbortSignal;
  stopRequested(): boolean;
  close(): void;
}

/** Watches signals from now on, until closed. */
export function openRun(ui: Ui, surroundings: Process): RunInterrupts {
  const controller = new AbortController();
  let asked = false;
  const stop = watchInterrupts({
    source: process,
    now: surroundings.now,
    onFirst: () => {
      asked = true;
      ui.note('stopping after the current step; once more ends it at once');
    },
    onSecond: () => {
      controller.abort();
      ui.abort();
      process.exit(130);
    },
  });
  return { signal: controller.signal, stopRequested: () => asked, close: stop };
}
