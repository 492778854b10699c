/** `issued.jsonl`: every certificate ever issued, one JSON object a line, each line bound to the one before by its hash. Pure. */
import * as z from 'zod/mini';
import { QuorateError } from '../domain/errors.ts';
import { appendLinks, type ChainKind, readLinks } from './hash-chain.ts';

const record = z.strictObject({
  /** Lower-case hex. */
  serial: z.string(),
  /** Of the certificate's DER. */
  sha256: z.string(),
  spkiSha256: z.string(),
  commonName: z.string(),
  dns: z.readonly(z.array(z.string())),
  ip: z.readonly(z.array(z.string())),
  /** `server`, `peer`, `client` or `authority`. */
  purpose: z.enum(['server', 'peer', 'client', 'authority']),
  /** What the client is called in the store; absent where it is none, and in lines of versions that did not note it. */
  client: z.optional(z.string()),
  /** Which authority signed it: `client-1`. */
  authority: z.string(),
  /** RFC 3339, as are the others. */
  notBefore: z.string(),
  notAfter: z.string(),
  /** `user@host` of the operator. */
  who: z.string(),
  why: z.string(),
  when: z.string(),
  previous: z.string(),
});

/** One line. */
export type JournalRecord = Readonly<z.infer<typeof record>>;
/** A line before it has its place. */
export type NewRecord = Omit<JournalRecord, 'previous'>;

/** Where the journal stands in the store. */
export const journalKey = 'issued.jsonl';

const journal = { key: journalKey, record } satisfies ChainKind<JournalRecord>;

/** The text with `records` added at its end. Throws `refused` where the chain is broken or a serial would stand in it twice. */
export function appendRecords(text: string, uuid: string, records: readonly NewRecord[]): string {
  const serials = new Set(readJournal(text, uuid).map((each) => each.serial));
  for (const { serial } of records) {
    if (serials.has(serial)) throw new QuorateError('refused', `serial ${serial} was issued before`);
    serials.add(serial);
  }
  return appendLinks(journal, text, uuid, records);
}

/** All lines in order. Throws `refused` at the first that is not a record or does not follow from the one before. */
export function readJournal(text: string, uuid: string): readonly JournalRecord[] {
  return readLinks(journal, text, uuid);
}
