/** The shape of a row in the doctor's table. */

/** Tells lines; in time that grows no faster than the line does, whatever a host has written into it. */
export interface LinePattern {
  /** For people: what it looks for. */
  readonly source: string;
  test(text: string): boolean;
}

/** These parts one after another, with anything between. (`/a.*b/` takes quadratic time for a line that repeats `a` and has no `b`.) */
export function inOrder(...parts: readonly (string | RegExp)[]): LinePattern {
  return {
    source: parts.map((each) => (typeof each === 'string' ? each : each.source)).join('.*'),
    test: (text) => {
      let rest: string | undefined = text;
      for (const part of parts) rest = rest === undefined ? undefined : after(rest, part);
      return rest !== undefined;
    },
  };
}

/** `what`, and nothing of `absent` behind it. */
export function withNothingBehind(what: string, absent: RegExp): LinePattern {
  return {
    source: `${what}(?!.*(${absent.source}))`,
    test: (text) => {
      const at = text.lastIndexOf(what);
      return at >= 0 && !absent.test(text.slice(at + what.length));
    },
  };
}

function after(text: string, part: string | RegExp): string | undefined {
  if (typeof part === 'string') {
    const at = text.indexOf(part);
    return at < 0 ? undefined : text.slice(at + part.length);
  }
  const found = part.exec(text);
  return found === null ? undefined : text.slice(found.index + found[0].length);
}

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
  readonly lines?: readonly LinePattern[];
  /** How long after its last line it counts as present; 10 minutes unless it repeats itself as long as it lasts. */
  readonly freshMs?: number;
  /** Whether quorate's own proofs make such lines: those about this very host's addresses do not count. */
  readonly byProofs?: true;
}

/** A failing connection to a peer is told again every few seconds, for as long as it fails. */
export const REPEATED_MS = 90_000;

/** Lines are evidence alone: etcd's answers tell whether it lasts. */
export const STATE_TELLS = 0;
