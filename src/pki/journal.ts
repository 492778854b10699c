/** `issued.jsonl`: every certificate ever issued, one JSON object a line, each line bound to the one before by its hash. Pure. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { QuorateError } from '../domain/errors.ts';

const record = z.strictObject({
  /** Lower-case hex. */
  serial: z.string(),
  /** Of the certificate's DER. */
  sha256: z.string(),
  spkiSha256: z.string(),
  commonName: z.string(),
  dns: z.array(z.string()).readonly(),
  ip: z.array(z.string()).readonly(),
  /** `server`, `peer`, `client` or `authority`. */
  purpose: z.enum(['server', 'peer', 'client', 'authority']),
  /** Which authority signed it: `client-1`. */
  authority: z.string(),
  /** RFC 3339, as are the others. */
  notBefore: z.string(),
  notAfter: z.string(),
  /** `user@host` of the operator. */
  who: z.string(),
  why: z.string(),
  when: z.string(),
  /** sha256 of the line before, less its newline; of {@link genesis} in the first line. */
  previous: z.string(),
});

/** One line. */
export type JournalRecord = Readonly<z.infer<typeof record>>;
/** A line before it has its place. */
export type NewRecord = Omit<JournalRecord, 'previous'>;

/** Where the journal stands in the store. */
export const journalKey = 'issued.jsonl';

/** The text with `records` added at its end. Throws `refused` where the chain is broken or a serial would stand in it twice. */
export function appendRecords(text: string, uuid: string, records: readonly NewRecord[]): string {
  const known = readJournal(text, uuid);
  const serials = new Set(known.map((each) => each.serial));
  let previous = hash(lastLine(text) ?? genesis(uuid));
  const lines = records.map((each) => {
    if (serials.has(each.serial)) throw new QuorateError('refused', `serial ${each.serial} was issued before`);
    serials.add(each.serial);
    const line = JSON.stringify({ ...each, previous });
    previous = hash(line);
    return `${line}\n`;
  });
  return text + lines.join('');
}

/** All lines in order. Throws `refused` at the first that is not a record or does not follow from the one before. */
export function readJournal(text: string, uuid: string): readonly JournalRecord[] {
  let previous = hash(genesis(uuid));
  return linesOf(text).map((line, index) => {
    const parsed = parseRecord(line);
    if (parsed === undefined) throw broken(index, 'is not a record');
    if (parsed.previous !== previous) throw broken(index, 'does not follow from the line before');
    previous = hash(line);
    return parsed;
  });
}

/** What the first line is bound to, so that a journal belongs to one cluster. */
function genesis(uuid: string): string {
  return `quorate issued.jsonl ${uuid}`;
}

function parseRecord(line: string): JournalRecord | undefined {
  try {
    return record.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw broken(text.split('\n').length - 1, 'is cut short');
  return text.slice(0, -1).split('\n');
}

function lastLine(text: string): string | undefined {
  return linesOf(text).at(-1);
}

function hash(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}

function broken(index: number, what: string): QuorateError {
  return new QuorateError(
    'refused',
    `${journalKey}: line ${index + 1} ${what}: the journal was changed by something else`,
    {
      hint: 'restore it from your backup or git before anything more is issued',
    },
  );
}
