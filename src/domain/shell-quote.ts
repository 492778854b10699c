/** The one way in which a word enters a POSIX shell script. */
import { QuorateError } from './errors.ts';

/**
 * The word as one shell word: single-quoted unless it is plainly harmless. Throws QuorateError `inventory` for a NUL,
 * which no shell can carry.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new QuorateError('inventory', 'a NUL character cannot stand in a shell word');
  return /^[A-Za-z0-9_/.,:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
