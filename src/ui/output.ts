/** The one object through which a process talks: results on stdout, everything else on stderr, every line without secrets. */
import type { Writable } from 'node:stream';
import { QuorateError } from '../domain/errors.ts';
import { prettyJson } from '../domain/plain-json.ts';
import type { DebugLog } from './debug-log.ts';
import { errorToJson, renderError } from './errors.ts';
import { openProgress } from './open-progress.ts';
import { painter } from './paint.ts';
import { type PlanView, renderPlan } from './plan-view.ts';
import type { Progress } from './progress-lines.ts';
import { createPrompts, type PromptInput, type Prompts } from './prompt.ts';
import type { Secrets } from './secrets.ts';
import { renderTable, type Table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { clean } from './text.ts';

export interface UiOptions {
  readonly terminal: Terminal;
  readonly streams: { readonly stdin: PromptInput; readonly stdout: Writable; readonly stderr: Writable };
  readonly secrets: Secrets;
  /** Gets events, notes and errors too; its path is printed with errors. */
  readonly log: DebugLog;
  /** `--verbose` */
  readonly verbose: boolean;
  /** Whether events are written to stderr as NDJSON in the mode `json`. */
  readonly events?: boolean | undefined;
}

/** What the mode leaves unsaid stands with each; in the mode `json` only `json` and `error` write to stdout. */
export interface Ui extends Prompts {
  readonly terminal: Terminal;
  /** A result as text, on stdout. Nothing in the mode `json`. */
  out(text: string): void;
  /** The one JSON document of a run, on stdout, in any mode. Throws when called twice. */
  json(value: unknown): void;
  /** A line of a result for programs, on stdout, in any mode. */
  line(text: string): void;
  /** A result as a table, on stdout. Nothing in the modes `json` and `quiet`. */
  table(table: Table): void;
  /** A plan: on stdout where it is the result, on stderr where it only precedes a question. Nothing in the modes `json` and `quiet`. */
  plan(view: PlanView, to?: 'stdout' | 'stderr'): void;
  /** What goes on, on stderr; drawn with the progress where there is one. Nothing in the modes `json` and `quiet`. */
  note(text: string): void;
  /** A `warning:` line on stderr. Nothing in the mode `quiet`. */
  warn(text: string): void;
  /** Text on stderr in every mode. */
  err(text: string): void;
  /** An error on stderr in every mode, ending an open progress; in the mode `json` also as the JSON document, unless there was one. */
  error(error: unknown): void;
  /** Opens the drawing of a run; the one before must have ended. Write results only after its end. */
  openProgress(): Promise<Progress>;
  /** Ends the progress and closes the log. May be called twice. */
  close(): Promise<void>;
  /** Gives the terminal back at once, for a process that is about to exit. */
  abort(): void;
}

export function createUi(options: UiOptions): Ui {
  const { terminal, streams, secrets, log } = options;
  const { mode } = terminal;
  const paint = { stdout: painter(terminal.color.stdout), stderr: painter(terminal.color.stderr) };
  const stdout = lineWriter(streams.stdout, secrets);
  const stderr = lineWriter(streams.stderr, secrets);
  let progress: Progress | undefined;
  let documents = 0;

  const forget = () => {
    progress = undefined;
  };
  const err = (text: string) => {
    if (mode === 'live' && progress !== undefined) progress.handle({ type: 'note', text });
    else stderr(text);
  };
  const json = (value: unknown) => {
    documents += 1;
    if (documents > 1) throw new Error('a run has one JSON document, and it was written before');
    streams.stdout.write(`${prettyJson(secrets.redactValue(value))}\n`);
  };
  return {
    terminal,
    err,
    json,
    out: (text) => {
      if (mode !== 'json') stdout(clean(text));
    },
    line: (text) => stdout(clean(text)),
    table: (table) => {
      if (speaks(mode)) stdout(renderTable(table, { width: terminal.width, paint: paint.stdout }));
    },
    plan: (view, to = 'stdout') => {
      if (!speaks(mode)) return;
      const width = to === 'stdout' ? terminal.width : terminal.stderrWidth;
      (to === 'stdout' ? stdout : stderr)(renderPlan(view, { width, paint: paint[to], redact: secrets.redact }));
    },
    note: (text) => {
      log.write({ event: 'note', text });
      if (speaks(mode)) err(clean(text));
    },
    warn: (text) => {
      log.write({ event: 'warning', text });
      if (mode !== 'quiet') err(`${paint.stderr('warn', 'warning:')} ${clean(text)}`);
    },
    error: (error) => {
      progress?.abort();
      if (log.path() !== undefined || !isComplaint(error))
        log.write({ event: 'error', ...errorToJson(error, undefined) });
      if (mode === 'json' && documents === 0) json(errorToJson(error, log.path()));
      err(renderError(error, { paint: paint.stderr, verbose: options.verbose, logPath: log.path() }));
    },
    ...createPrompts({ ...streams, interactive: terminal.interactive, secrets }),
    openProgress: async () => {
      if (progress !== undefined) throw new Error('a progress is open already');
      const drawing = { write: stderr, paint: paint.stderr, onEnd: forget };
      progress = await openProgress(options, drawing);
      return progress;
    },
    close: async () => {
      await progress?.end();
      log.close();
    },
    abort: () => progress?.abort(),
  };
}

/** Whether the error alone says everything, so that no log needs to be begun for it. */
function isComplaint(error: unknown): boolean {
  return error instanceof QuorateError && (error.code === 'usage' || error.code === 'inventory');
}

function speaks(mode: Terminal['mode']): boolean {
  return mode === 'live' || mode === 'plain';
}

/** Writes lines; a reader that went away (`| head`), or a terminal that was closed, is no failure of the run. */
function lineWriter(stream: Writable, secrets: Secrets): (text: string) => void {
  stream.on('error', (error) => {
    if (!('code' in error) || (error.code !== 'EPIPE' && error.code !== 'EIO')) throw error;
  });
  return (text) => {
    stream.write(`${secrets.redact(text)}\n`);
  };
}
