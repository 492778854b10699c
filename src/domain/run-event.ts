/** What happens during a run, as the executor tells it and the terminal draws it. */

interface StepEvent {
  /** The stage's id. */
  readonly stage: string;
  readonly host: string;
  /** What the step does, without the host's name. */
  readonly text: string;
}

export type RunEvent =
  | { readonly type: 'run-start'; readonly title: string; readonly stages?: number | undefined }
  | {
      readonly type: 'stage-start';
      readonly stage: string;
      readonly title: string;
      /** Every host that takes part, in order. */
      readonly hosts: readonly string[];
      /** How many steps each host has, where known: a host is then ticked off as soon as all are done or skipped. */
      readonly steps?: Readonly<Record<string, number>> | undefined;
    }
  | ({ readonly type: 'step-start' } & StepEvent)
  | ({ readonly type: 'step-done'; readonly elapsedMs: number } & StepEvent)
  | ({ readonly type: 'step-skipped'; readonly reason: string; readonly elapsedMs?: number | undefined } & StepEvent)
  | ({ readonly type: 'step-failed'; readonly reason: string; readonly elapsedMs: number } & StepEvent)
  | { readonly type: 'note'; readonly text: string; readonly host?: string | undefined }
  | { readonly type: 'stage-done'; readonly stage: string; readonly elapsedMs: number }
  | {
      readonly type: 'run-end';
      readonly outcome: 'done' | 'failed' | 'interrupted';
      readonly elapsedMs: number;
      /** The last line; the outcome in a word where it is missing. */
      readonly text?: string | undefined;
    };
