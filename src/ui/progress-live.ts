/** Progress on a terminal: one block a stage, one row a host, redrawn in place; what is over stays as one line. */
import type { WriteStream } from 'node:tty';
import { counted } from '../domain/plural.ts';
import type { RunEvent } from '../domain/run-event.ts';
import { OPERATOR } from '../domain/step.ts';
import { advanceLine, finishLine, type HostLine, startLines, wordLine } from './host-lines.ts';
import type { Paint } from './paint.ts';
import { createBlock } from './progress.ts';
import type { Progress } from './progress-lines.ts';
import { clean, cut, duration } from './text.ts';

export interface LiveOptions {
  /** A terminal. */
  readonly stream: WriteStream;
  readonly paint: Paint;
  readonly width: number;
}

/** Running steps show their time; it is redrawn this often. */
const TICK_MS = 1000;

/** A {@link Progress} that redraws. While a stage is open, whatever else is written to the stream is held back until it ends. */
export function liveProgress(options: LiveOptions): Progress {
  const { stream, paint } = options;
  let open: LiveStage | undefined;
  let aborted = false;
  // The drawing of a stage ends a little after its last event, and the next must not begin before.
  let queue: Promise<void> = Promise.resolve();
  const enqueue = (draw: () => unknown) => {
    queue = queue.then(async () => {
      if (!aborted) await draw();
    });
  };
  const say = (line: string) => enqueue(() => stream.write(`${line}\n`));
  const close = (elapsedMs: number | undefined) => {
    open?.finish(elapsedMs);
    open = undefined;
  };
  const handle = (event: RunEvent) => {
    if (event.type === 'run-start') say(paint('head', clean(event.title)));
    else if (event.type === 'stage-start') {
      close(undefined);
      const stage = openStage(event, options);
      open = stage;
      enqueue(stage.draw);
    } else if (event.type === 'stage-done') close(event.elapsedMs);
    else if (event.type === 'note') {
      const text = clean(event.host === undefined ? event.text : `${event.host}: ${event.text}`);
      if (open === undefined) say(text);
      else open.note(text);
    } else if (event.type === 'run-end') {
      close(undefined);
      const end = paint(event.outcome === 'done' ? 'good' : 'bad', clean(event.text ?? event.outcome));
      say(`${end} (${duration(event.elapsedMs)})`);
    } else open?.advance(event);
  };
  return {
    handle: (event) => {
      if (!aborted) handle(event);
    },
    end: async () => {
      if (aborted) return;
      close(undefined);
      await queue;
    },
    abort: () => {
      aborted = true;
      open?.abort();
      open = undefined;
    },
  };
}

interface LiveStage {
  advance(event: RunEvent): void;
  note(text: string): void;
  /** Without a time: it was interrupted. */
  finish(elapsedMs: number | undefined): void;
  /** Draws until it is finished. */
  draw(): Promise<void>;
  abort(): void;
}

function openStage(start: Extract<RunEvent, { type: 'stage-start' }>, options: LiveOptions): LiveStage {
  const { stream, paint } = options;
  const width = stream.columns > 0 ? stream.columns : options.width;
  const block = createBlock({ rows: start.hosts.length, stream, paint, width });
  const nameWidth = Math.max(...start.hosts.map((host) => clean(host).length), 0);
  let lines = startLines(start);

  const setHeading = (tail: string) => {
    const title = cut(clean(start.title), Math.max(width - 4 - tail.length, 8));
    block.setHeading(title + tail);
  };
  const update = (change: (line: HostLine) => HostLine) => {
    lines = lines.map(change);
    for (const [index, line] of lines.entries()) {
      const look = { width: width - 6, nameWidth, total: start.steps?.[line.host], now: Date.now() };
      block.setRow(index, wordLine(line, look));
      if (line.state === 'done' || line.state === 'failed') block.endRow(index, line.state === 'failed');
    }
  };
  const finish = (elapsedMs: number | undefined) => {
    clearInterval(timer);
    update((line) => finishLine(line, elapsedMs === undefined, Date.now()));
    setHeading(`  (${placesOf(start.hosts)}, ${elapsedMs === undefined ? 'interrupted' : duration(elapsedMs)})`);
    block.end();
  };
  const timer = setInterval(() => update((line) => line), TICK_MS).unref();
  setHeading('');
  update((line) => line);
  return {
    advance: (event) => update((line) => advanceLine(line, event, start, Date.now())),
    note: block.note,
    finish,
    draw: block.draw,
    abort: () => {
      finish(undefined);
      block.abort();
    },
  };
}

function placesOf(hosts: readonly string[]): string {
  const remote = hosts.filter((host) => host !== OPERATOR);
  return remote.length === 0 ? 'here' : counted(remote.length, 'host');
}
