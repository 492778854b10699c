/** The shape of a row in the doctor's table. */

/** A row of the table. */
export interface Symptom {
  readonly level: 'critical' | 'warning';
  readonly cause: string;
  /** What to do; verbs of quorate's stand with their name. */
  readonly remedy: string;
  /**
   * Tested on a line's text, `message key=value key="with blanks"`. Each is seen in logs of etcd 3.4 or 3.7 that were recorded
   * for the tests, or stands in its source.
   */
  readonly lines?: readonly RegExp[];
  /** How long after its last line it counts as present; 10 minutes unless it repeats itself as long as it lasts. */
  readonly freshMs?: number;
  /** Whether quorate's own proofs make such lines: those about this very host's addresses do not count. */
  readonly byProofs?: true;
}

/** A failing connection to a peer is told again every few seconds, for as long as it fails. */
export const REPEATED_MS = 90_000;

/** Lines are evidence alone: etcd's answers tell whether it lasts. */
export const STATE_TELLS = 0;
