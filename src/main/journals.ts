/** The members' journals as verbs get them: merged by time, without secrets, until they end or somebody interrupts. */
import type { Journals, JournalsWish } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { JournalLine } from '../domain/journal.ts';
import { readJournal } from '../observe/journal.ts';
import { mergeEnding, mergeLive } from '../observe/merge.ts';
import { openAll } from '../transport/open.ts';
import type { Connection } from '../transport/transport.ts';
import { watchInterrupts } from '../ui/interrupt.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

export interface JournalsInput {
  readonly cluster: Cluster;
  readonly wish: JournalsWish;
  readonly ui: Ui;
  readonly process: Process;
  readonly acceptNewHostKeys: boolean;
  readonly redact: (text: string) => string;
}

/**
 * Connects to the hosts and begins to read.
 * @throws QuorateError unreachable, untrusted: where no host is left
 */
export async function openJournals(input: JournalsInput): Promise<Journals> {
  const { cluster, wish, ui, redact } = input;
  const controllers = cluster.controllers.filter(({ name }) => wish.members.includes(name));
  const transports = await openAll(controllers, {
    env: input.process.env,
    acceptNewHostKeys: input.acceptNewHostKeys,
    askSecret: ui.terminal.interactive ? (question) => ui.askSecret({ question, instead: 'an SSH agent' }) : undefined,
  });
  const failures: QuorateError[] = [...transports.failures];
  if (transports.connections.size === 0) {
    await transports.close();
    throw combineErrors(`${failures.length} hosts cannot be reached`, failures);
  }
  const ending = new AbortController();
  const ends = { onFirst: () => ending.abort(), onSecond: () => process.exit(130) };
  const stop = watchInterrupts({ source: process, now: input.process.now, ...ends });
  const lines = readJournals([...transports.connections.values()], {
    ...{ unit: cluster.unit, wish, redact, signal: ending.signal },
    onFailure: (error) => failures.push(error),
  });
  return {
    failures,
    lines,
    interrupted: () => ending.signal.aborted,
    close: async () => {
      stop();
      ending.abort();
      await transports.close();
    },
  };
}

export interface JournalsReading {
  readonly unit: string;
  readonly wish: Omit<JournalsWish, 'members'>;
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
  /** So long one may take; undefined: as long as it is wanted. */
  readonly timeoutMs?: number | undefined;
  /** A journal that cannot be read, or no further: the others go on. */
  readonly onFailure: (error: QuorateError) => void;
}

/** The journals of these hosts by time. */
export function readJournals(connections: readonly Connection[], reading: JournalsReading): AsyncIterable<JournalLine> {
  const sources = connections.map((connection) => readOne(connection, reading));
  return reading.wish.follow ? mergeLive(sources) : mergeEnding(sources);
}

async function* readOne(connection: Connection, reading: JournalsReading): AsyncGenerator<JournalLine> {
  const { timeoutMs } = reading;
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signal = late === undefined ? reading.signal : AbortSignal.any([reading.signal, late]);
  try {
    yield* readJournal({ connection, ...reading, signal });
    if (late?.aborted === true) reading.onFailure(unfinished(connection.host, timeoutMs));
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    reading.onFailure(error);
  }
}

function unfinished(host: string, timeoutMs = 0): QuorateError {
  return new QuorateError('step-failed', `${host}: its journal was not read to its end within ${timeoutMs / 1000} s`, {
    host,
    hint: 'quorate logs reads it without a limit',
  });
}
