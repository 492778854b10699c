/** What the live drawing says about each host of a stage: one line a host, always with its name. */
import type { RunEvent } from '../domain/run-event.ts';
import { clean, cut, duration } from './text.ts';

type StageStart = Extract<RunEvent, { type: 'stage-start' }>;

/** A running step's time is shown from here on. */
const SHOW_AFTER_MS = 2000;

export interface HostLine {
  readonly host: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Steps done or skipped, and milliseconds that they took. */
  readonly steps: number;
  readonly elapsedMs: number;
  /** The step that runs, or the last one. */
  readonly text: string;
  /** Epoch milliseconds of its start. */
  readonly since: number;
}

export function startLines(stage: StageStart): HostLine[] {
  return stage.hosts.map((host) => ({ host, state: 'waiting', steps: 0, elapsedMs: 0, text: 'waiting', since: 0 }));
}

/** The line after an event; itself where the event is not about it. */
export function advanceLine(line: HostLine, event: RunEvent, stage: StageStart, now: number): HostLine {
  if (!('host' in event) || event.host !== line.host || line.state === 'failed') return line;
  switch (event.type) {
    case 'step-start':
      return { ...line, state: 'running', text: event.text, since: now };
    case 'step-failed':
      return {
        ...line,
        state: 'failed',
        text: `${event.text}: ${event.reason}`,
        elapsedMs: line.elapsedMs + event.elapsedMs,
      };
    case 'step-done':
    case 'step-skipped': {
      const steps = line.steps + 1;
      const elapsedMs = line.elapsedMs + (event.elapsedMs ?? 0);
      const state = stage.steps?.[line.host] === steps ? 'done' : 'running';
      return { ...line, state, steps, elapsedMs, text: event.text, since: now };
    }
    case 'note':
      return line;
  }
}

/** When the stage is over: what did not fail is done, or was interrupted. */
export function finishLine(line: HostLine, interrupted: boolean, now: number): HostLine {
  if (line.state === 'failed' || line.state === 'done') return line;
  if (!interrupted) return { ...line, state: 'done' };
  const ranMs = line.state === 'running' ? now - line.since : 0;
  return { ...line, state: 'failed', text: `${line.text}: interrupted`, elapsedMs: line.elapsedMs + ranMs };
}

/** `etcd-1  unpack etcd 3.6.14  (3/12, 4.0 s)`: at most `width` characters, the name padded to `nameWidth`. */
export function wordLine(
  line: HostLine,
  look: { width: number; nameWidth: number; total: number | undefined; now: number },
): string {
  const name = clean(line.host).padEnd(look.nameWidth);
  const ranMs = line.state === 'running' ? look.now - line.since : 0;
  const time =
    line.state === 'running' ? (ranMs >= SHOW_AFTER_MS ? [duration(ranMs)] : []) : [duration(line.elapsedMs)];
  const steps = look.total === undefined ? [] : [`${line.steps}/${look.total}`];
  const facts = line.state === 'waiting' ? [] : [...steps, ...time];
  const tail = facts.length === 0 ? '' : `  (${facts.join(', ')})`;
  const text = line.state === 'done' ? 'done' : clean(line.text);
  return `${name}  ${cut(text, Math.max(look.width - name.length - 2 - tail.length, 8))}${tail}`;
}
