/** Reads one member's journal over its connection, line by line, with bounded memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { type JournalLine, type JournalWish, passes } from '../domain/journal.ts';
import { readRecord } from '../domain/journal-record.ts';
import type { Connection, RemoteProcess } from '../transport/transport.ts';
import { journalScript } from './journal-script.ts';
import { splitLines } from './split-lines.ts';

export interface JournalSource {
  readonly connection: Connection;
  readonly unit: string;
  readonly wish: JournalWish;
  /** Applied to each text before anything is read from it. */
  readonly redact: (text: string) => string;
  /** Ends the reading, and the process on the host; what came until then stays told. */
  readonly signal: AbortSignal;
}

/** A longer record is left out: etcd's longest lines, panics with their state, take a tenth of it. */
const RECORD_LIMIT_BYTES = 1_048_576;
/** What journalctl complains of, for an error's detail. */
const COMPLAINT_BYTES = 4_096;
/** How long a process may take to see that its stdin ended. */
const END_MS = 3_000;

/**
 * The lines in their order. Reading no further stops the host's side too.
 * @throws QuorateError unreachable where the connection is lost, step-failed where journalctl refuses
 */
export async function* readJournal(source: JournalSource): AsyncGenerator<JournalLine> {
  const { connection, unit, wish, redact, signal } = source;
  if (signal.aborted) return;
  const script = { script: journalScript(unit, wish), root: true, label: 'reading the journal' };
  const process = await connection.start(script);
  const complaint = firstOf(process.stderr);
  const stop = (): void => void endProcess(process);
  signal.addEventListener('abort', stop, { once: true });
  try {
    let records = 0;
    for await (const text of splitLines(process.stdout, RECORD_LIMIT_BYTES)) {
      if (signal.aborted) return;
      records += 1;
      const line = readRecord(text, connection.host, redact);
      if (line !== undefined && passes(line, wish)) yield line;
    }
    const { status } = await process.done;
    if (!signal.aborted && records === 0) requireEnd(connection.host, status, await complaint);
  } finally {
    signal.removeEventListener('abort', stop);
    await endProcess(process);
  }
}

/** Whether nothing was read because there is nothing: an empty journal is no complaint (1 is journalctl's status for it before 255). */
function requireEnd(host: string, status: number | undefined, complaint: string): void {
  if (complaint === '' && (status === 0 || status === 1)) return;
  throw new QuorateError(
    'step-failed',
    `${host}: its journal cannot be read${complaint === '' ? '' : `: ${complaint}`}`,
    {
      host,
      hint: 'quorate reads journals with journalctl, as root',
    },
  );
}

async function endProcess(process: RemoteProcess): Promise<void> {
  process.stdin.end();
  process.stdout.resume();
  const ended = process.done.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, sleep(END_MS, undefined, { ref: false })]);
  process.close();
}

/** The first line of what a stream says; the rest is read and forgotten. */
async function firstOf(stream: RemoteProcess['stderr']): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream) if (text.length < COMPLAINT_BYTES) text += String(chunk);
  } catch {
    return text; // the loss of the connection is told by `done`
  }
  return text.trim().split('\n')[0] ?? '';
}
