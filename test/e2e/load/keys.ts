/** Names and values of what the load writes: each can be told from the other, so that nothing must be kept to compare with. */
import type { Written } from './ledger.ts';

export function keyOf(prefix: string, { client, sequence }: Written): string {
  return `${prefix}${client}/${String(sequence).padStart(8, '0')}`;
}

/** Another one for each key. */
export function contentOf(prefix: string, written: Written): string {
  return `value of ${keyOf(prefix, written)}`;
}

/** The write that a key is of; undefined for a key that the load did not write. */
export function writtenAt(prefix: string, key: string): Written | undefined {
  const [, client, digits] = /^([^/]+)\/(\d{8,})$/.exec(key.startsWith(prefix) ? key.slice(prefix.length) : '') ?? [];
  return client === undefined || digits === undefined ? undefined : { client, sequence: Number(digits) };
}
