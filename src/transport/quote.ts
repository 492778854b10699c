/** The one function that turns any text into one word of a POSIX shell. */

/**
 * The word in single quotes, safe for `sh` whatever it holds (newlines, quotes, `$(…)`); the empty word becomes `''`.
 * Only for POSIX shells: fish and csh read backslashes and `!` inside quotes differently, so nothing quoted here is ever
 * given to a login shell. Throws a RangeError on NUL, which no argument of a process can hold.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot hold NUL');
  return `'${word.replaceAll("'", "'\\''")}'`;
}
