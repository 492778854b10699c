/** The drawing of a run as the terminal's mode wants it: logged, and without secrets. */
import type { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import type { RunEvent } from '../domain/run-event.ts';
import type { DebugLog } from './debug-log.ts';
import type { Paint } from './paint.ts';
import { lineProgress, type Progress } from './progress-lines.ts';
import type { Secrets } from './secrets.ts';
import type { Terminal } from './terminal.ts';

/** What of a process's surroundings decides over it. */
export interface ProgressOptions {
  readonly terminal: Terminal;
  readonly streams: { readonly stderr: Writable };
  readonly secrets: Secrets;
  readonly log: DebugLog;
  readonly verbose: boolean;
  readonly events?: boolean | undefined;
}

export interface Drawing {
  /** Writes a line to stderr. */
  readonly write: (line: string) => void;
  readonly paint: Paint;
  readonly onEnd: () => void;
}

/** Begins a drawing; `onEnd` is called once it has ended or was given up. */
export async function openProgress(options: ProgressOptions, drawing: Drawing): Promise<Progress> {
  const inner = await choose(options, drawing);
  return {
    handle: (event) => {
      options.log.write({ event: event.type, ...event });
      inner.handle(redactEvent(event, options.secrets.redact));
    },
    end: () => inner.end().finally(drawing.onEnd),
    abort: () => {
      inner.abort();
      drawing.onEnd();
    },
  };
}

async function choose(options: ProgressOptions, { write, paint }: Drawing): Promise<Progress> {
  const { terminal, streams } = options;
  switch (terminal.mode) {
    case 'live': {
      if (!(streams.stderr instanceof WriteStream)) break;
      const { liveProgress } = await import('./progress-live.ts');
      return liveProgress({ stream: streams.stderr, paint, width: terminal.stderrWidth });
    }
    case 'plain':
      break;
    case 'json':
      return silent((event) => {
        if (options.events === true) streams.stderr.write(`${JSON.stringify(event)}\n`);
      });
    case 'quiet':
      return silent(() => {});
  }
  return lineProgress({ write, paint, verbose: options.verbose });
}

/** Before anything is cut or wrapped, because half a secret would not be recognised. */
function redactEvent(event: RunEvent, redact: (text: string) => string): RunEvent {
  if ('reason' in event) return { ...event, text: redact(event.text), reason: redact(event.reason) };
  if ('title' in event) return { ...event, title: redact(event.title) };
  return 'text' in event && event.text !== undefined ? { ...event, text: redact(event.text) } : event;
}

function silent(handle: Progress['handle']): Progress {
  return { handle, end: async () => {}, abort: () => {} };
}
