/** The one way in which a word enters a POSIX shell script. */
import { QuorateError } from './errors.ts';

/** Words that a shell takes for its own where a command may stand (POSIX 2.4; `function`, `select` and `time` of others). */
const reserved = /^(?:case|do|done|elif|else|esac|fi|for|function|if|in|select|then|time|until|while)$/;

/**
 * Any text as one word of `sh`, whatever it holds (newlines, quotes, `$(…)`) and wherever it stands: single-quoted unless plainly harmless; the empty word
 * becomes `''`. Only for POSIX shells: fish and csh read backslashes and `!` inside quotes differently, so nothing quoted here is ever given to a login
 * shell. Throws QuorateError `inventory` for a NUL, which no argument of a process can hold.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new QuorateError('inventory', 'a NUL character cannot stand in a shell word');
  const harmless = /^[A-Za-z0-9_/.,:@%+-]+$/.test(word) && !reserved.test(word);
  return harmless ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
