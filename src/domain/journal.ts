/** A member's journal: what is asked of it, and one line of it, whatever wrote that line. */

/** etcd's levels (zap's; capnslog's are told by the same words), the gravest last. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface JournalLine {
  /** The controller's name. */
  readonly host: string;
  /** Epoch milliseconds, with fractions, of that host's clock. */
  readonly at: number;
  /** Who wrote it: `etcd`, `systemd`; '' unknown. */
  readonly source: string;
  /** undefined where the line says none, as those of a stack trace. */
  readonly level: LogLevel | undefined;
  readonly message: string;
  /** In the order in which they were written; values as text, JSON where they are no text. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** What of the journals is wanted. */
export interface JournalWish {
  /** The last so many lines of each host; undefined: all that `since` lets through. */
  readonly lines: number | undefined;
  /** Milliseconds before now by each host's own clock, or an instant (epoch milliseconds); undefined: from the beginning. */
  readonly since: { readonly agoMs: number } | { readonly at: number } | undefined;
  /** Lines of less than this level are left out; those that say no level stay. */
  readonly level: LogLevel;
  /** Lines with one of these words pass whatever their level: letters, digits and blanks only. Not in what is followed. */
  readonly also: readonly string[];
  /** Whether lines that are still to come are waited for. */
  readonly follow: boolean;
}

/** Whether a line passes: what says no level may be the stack trace that is looked for. */
export function passes(line: Pick<JournalLine, 'level' | 'message'>, { level, also }: JournalWish): boolean {
  if (line.level === undefined || logLevels.indexOf(line.level) >= logLevels.indexOf(level)) return true;
  return also.some((each) => line.message.includes(each));
}
