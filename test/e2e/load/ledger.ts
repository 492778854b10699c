/** What the load's clients saw: acknowledged writes, failures, retries by cause, gaps. Time is given, so that it can be tested. */
import type { Causes, ClientFigures, PhaseFigures } from './order.ts';

/** Milliseconds of a monotonic clock. */
export type Clock = () => number;

export interface Ledger {
  readonly failures: readonly string[];
  /** Ends the phase until now and begins another. */
  begin(name: string): PhaseFigures;
  /** Ends everything: the last phase, all phases, and the whole. */
  end(): { readonly total: PhaseFigures; readonly phases: readonly PhaseFigures[] };
  acknowledged(client: string, sequence: number): void;
  read(client: string, fresh: boolean): void;
  retried(client: string, cause: string): void;
  failed(client: string, what: string): void;
  /** The process did nothing for so long. */
  paused(ms: number): void;
  /** The write that was acknowledged last. */
  newest(): Written | undefined;
  /** Acknowledged sequences of each client. */
  written(): ReadonlyMap<string, ReadonlySet<number>>;
}

export interface Written {
  readonly client: string;
  readonly sequence: number;
}

interface Tally {
  readonly name: string;
  readonly startedAt: number;
  readonly clients: Map<string, ClientTally>;
  lastAt: number;
  gap: { ms: number; at: number };
  acknowledged: number;
  failed: number;
  reads: number;
  stale: number;
  pauseMs: number;
}

interface ClientTally {
  lastAt: number;
  gapMs: number;
  done: number;
  failed: number;
  readonly retries: Map<string, number>;
}

const MAXIMUM_FAILURES = 20;

export function openLedger(clock: Clock): Ledger {
  const written = new Map<string, Set<number>>();
  const failures: string[] = [];
  const phases: PhaseFigures[] = [];
  let newest: Written | undefined;
  const total = openTally('total', clock());
  let phase = openTally('start', clock());
  const both = (change: (tally: Tally, now: number) => void): void => {
    const now = clock();
    for (const each of [total, phase]) change(each, now);
  };
  const close = (): PhaseFigures => {
    const figures = figuresOf(phase, clock());
    phases.push(figures);
    return figures;
  };
  return {
    failures,
    begin: (name) => {
      const figures = close();
      phase = openTally(name, clock());
      return figures;
    },
    end: () => {
      close();
      return { total: figuresOf(total, clock()), phases };
    },
    acknowledged: (client, sequence) => {
      const sequences = written.get(client) ?? new Set();
      written.set(client, sequences.add(sequence));
      newest = { client, sequence };
      both((tally, now) => noteWrite(tally, clientOf(tally, client), now));
    },
    read: (client, fresh) =>
      both((tally, now) => {
        tally.reads += 1;
        tally.stale += fresh ? 0 : 1;
        noteDone(clientOf(tally, client), now);
      }),
    retried: (client, cause) =>
      both((tally) => {
        const { retries } = clientOf(tally, client);
        retries.set(cause, (retries.get(cause) ?? 0) + 1);
      }),
    failed: (client, what) => {
      if (failures.length < MAXIMUM_FAILURES) failures.push(`${client}: ${what}`);
      both((tally) => {
        tally.failed += 1;
        clientOf(tally, client).failed += 1;
      });
    },
    paused: (ms) =>
      both((tally) => {
        tally.pauseMs = Math.max(tally.pauseMs, ms);
      }),
    newest: () => newest,
    written: () => written,
  };
}

function openTally(name: string, now: number): Tally {
  return {
    name,
    startedAt: now,
    clients: new Map(),
    lastAt: now,
    gap: { ms: 0, at: 0 },
    ...{ acknowledged: 0, failed: 0, reads: 0, stale: 0, pauseMs: 0 },
  };
}

function clientOf(tally: Tally, name: string): ClientTally {
  const found = tally.clients.get(name);
  if (found !== undefined) return found;
  const made = { lastAt: tally.startedAt, gapMs: 0, done: 0, failed: 0, retries: new Map<string, number>() };
  tally.clients.set(name, made);
  return made;
}

function noteWrite(tally: Tally, client: ClientTally, now: number): void {
  widen(tally, now);
  tally.lastAt = now;
  tally.acknowledged += 1;
  noteDone(client, now);
}

function noteDone(client: ClientTally, now: number): void {
  client.gapMs = Math.max(client.gapMs, now - client.lastAt);
  client.lastAt = now;
  client.done += 1;
}

function widen(tally: Tally, now: number): void {
  const ms = now - tally.lastAt;
  if (ms > tally.gap.ms) tally.gap = { ms, at: tally.lastAt - tally.startedAt };
}

/** A gap that goes on at the end of the phase counts too. */
function figuresOf(tally: Tally, now: number): PhaseFigures {
  widen(tally, now);
  return {
    name: tally.name,
    seconds: Math.round(now - tally.startedAt) / 1000,
    acknowledged: tally.acknowledged,
    failed: tally.failed,
    reads: tally.reads,
    stale: tally.stale,
    longestGapMs: Math.round(tally.gap.ms),
    gapAtMs: Math.round(tally.gap.at),
    ownPauseMs: Math.round(tally.pauseMs),
    clients: [...tally.clients].map(([name, client]) => clientFigures(name, client, now)),
  };
}

function clientFigures(name: string, client: ClientTally, now: number): ClientFigures {
  const retries: Causes = Object.fromEntries(client.retries);
  const longestGapMs = Math.round(Math.max(client.gapMs, now - client.lastAt));
  return { name, done: client.done, failed: client.failed, longestGapMs, retries };
}
