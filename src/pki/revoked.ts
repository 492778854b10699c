/** `revoked.jsonl`: every revocation, one JSON object a line, each line bound to the one before by its hash. Nothing is ever taken back. Pure. */
import * as z from 'zod/mini';
import { QuorateError } from '../domain/errors.ts';
import type { Use } from '../domain/pki-view.ts';
import type { RevokedSerial } from './crl.ts';
import { appendLinks, type ChainKind, readLinks } from './hash-chain.ts';

const record = z.strictObject({
  /** Lower-case hex, as the journal has it. */
  serial: z.string(),
  /** Which authority signed it: `client-1`. */
  authority: z.string(),
  commonName: z.string(),
  /** RFC 3339: the list may forget it after that. */
  notAfter: z.string(),
  reason: z.enum([
    'unspecified',
    'key-compromise',
    'affiliation-changed',
    'superseded',
    'cessation',
    'privilege-withdrawn',
  ]),
  /** `user@host` of the operator. */
  who: z.string(),
  why: z.string(),
  when: z.string(),
  previous: z.string(),
});

/** One line. */
export type RevocationRecord = Readonly<z.infer<typeof record>>;
/** A line before it has its place. */
export type NewRevocation = Omit<RevocationRecord, 'previous'>;

/** A certificate that is to be revoked. */
export type Revocation = Pick<NewRevocation, 'serial' | 'authority' | 'commonName' | 'notAfter' | 'reason' | 'why'>;

/** Where it stands in the store. */
export const revokedKey = 'revoked.jsonl';

const revocations = { key: revokedKey, record } satisfies ChainKind<RevocationRecord>;

/** The text with what is not revoked yet added at its end; the same text where all of it is. Throws `refused` where the chain is broken. */
export function appendRevocations(text: string, uuid: string, records: readonly NewRevocation[]): string {
  const known = new Set(readRevocations(text, uuid).map((each) => each.serial));
  const fresh = records.filter(({ serial }) => !known.has(serial));
  return fresh.length === 0 ? text : appendLinks(revocations, text, uuid, fresh);
}

/** All lines in order. Throws `refused` at the first that is not a record or does not follow from the one before. */
export function readRevocations(text: string, uuid: string): readonly RevocationRecord[] {
  return readLinks(revocations, text, uuid);
}

/**
 * What the list for `use` must hold at `now` (epoch milliseconds), the lowest serial first: all that has not ended by its dates, whichever authority of
 * that use signed it, because etcd reads one list a port and compares serials alone (reference/pki.md, 2.6). One authority for both uses opens both ports.
 */
export function revokedSerials(records: readonly RevocationRecord[], use: Use, now: number): readonly RevokedSerial[] {
  return records
    .filter((each) => usesOf(each.authority).includes(use) && Date.parse(each.notAfter) > now)
    .map(({ serial, when, reason }) => ({ serial, at: wholeSeconds(Date.parse(when)), reason }))
    .toSorted((left, right) => (left.serial < right.serial ? -1 : 1));
}

/** The ports that trust an authority of this ID, `client-1`. */
export function usesOf(authority: string): readonly Use[] {
  const purpose = authority.slice(0, authority.lastIndexOf('-'));
  return (['client', 'peer'] as const).filter((use) => purpose === use || purpose === 'both');
}

/** Throws `refused` for text that is no serial; colons and capitals are taken, as other tools print them. */
export function readSerial(text: string): string {
  const serial = text.replaceAll(':', '').toLowerCase();
  if (/^(?:[0-9a-f]{2}){1,20}$/.test(serial)) return serial;
  throw new QuorateError('refused', `${JSON.stringify(text)}: is no serial`, {
    hint: 'quorate certs client list shows them',
  });
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000;
}
