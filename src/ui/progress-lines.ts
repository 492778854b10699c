/** Progress off a terminal: one prefixed line for each thing that happened, so that lines of several hosts can be told apart in a log. */
import type { RunEvent } from '../domain/run-event.ts';
import type { Paint } from './paint.ts';
import { clean, duration } from './text.ts';

/** Draws a run. Events come in the order in which things happen; hosts may be mixed. */
export interface Progress {
  handle(event: RunEvent): void;
  /** Draws what is left and gives the terminal back. May be called twice, and after an interruption. */
  end(): Promise<void>;
  /** Gives the terminal back at once, without drawing: for a process that is about to exit. */
  abort(): void;
}

export interface LinesOptions {
  /** Writes one line. */
  readonly write: (line: string) => void;
  readonly paint: Paint;
  /** Also tells when steps start. */
  readonly verbose: boolean;
}

/** Nothing is told for this long: then what still runs is told, because CI services end jobs that are silent. */
const SILENCE_MS = 30_000;

/** A {@link Progress} that writes lines like `[etcd-1] wrote /etc/etcd/etcd-config.yml (12 ms)`. */
export function lineProgress(options: LinesOptions): Progress {
  const running = new Map<string, { text: string; since: number }>();
  const say = (line: string) => {
    options.write(line);
    timer.refresh();
  };
  const stillRunning = () => {
    for (const [host, { text, since }] of running) {
      say(`${prefix(host, options.paint)} still: ${clean(text)} (${duration(Date.now() - since)})`);
    }
  };
  const timer = setInterval(stillRunning, SILENCE_MS).unref();
  const end = () => clearInterval(timer);
  return {
    handle: (event) => {
      if (event.type === 'step-start') running.set(event.host, { text: event.text, since: Date.now() });
      else if ('host' in event && event.host !== undefined && event.type !== 'note') running.delete(event.host);
      const line = eventLine(event, options);
      if (line !== undefined) say(line);
    },
    end: async () => end(),
    abort: end,
  };
}

/** The line for an event; undefined for those that are not worth one. */
function eventLine(event: RunEvent, { paint, verbose }: LinesOptions): string | undefined {
  switch (event.type) {
    case 'run-start':
      return paint('head', clean(event.title));
    case 'stage-start':
      return paint('head', `${clean(event.title)} (${event.hosts.map(clean).join(', ')})`);
    case 'step-start':
      return verbose ? `${prefix(event.host, paint)} ${clean(event.text)} ...` : undefined;
    case 'step-done':
      return `${prefix(event.host, paint)} ${clean(event.text)} (${duration(event.elapsedMs)})`;
    case 'step-skipped':
      return `${prefix(event.host, paint)} ${paint('faint', `${clean(event.text)}: skipped, ${clean(event.reason)}`)}`;
    case 'step-failed':
      return `${prefix(event.host, paint)} ${paint('bad', 'failed:')} ${clean(event.text)}: ${clean(event.reason)} (${duration(event.elapsedMs)})`;
    case 'note':
      return event.host === undefined ? clean(event.text) : `${prefix(event.host, paint)} ${clean(event.text)}`;
    case 'stage-done':
      return undefined;
    case 'run-end':
      return `${paint(event.outcome === 'done' ? 'good' : 'bad', clean(event.text ?? event.outcome))} (${duration(event.elapsedMs)})`;
  }
}

function prefix(host: string, paint: Paint): string {
  return paint('host', `[${clean(host)}]`);
}
