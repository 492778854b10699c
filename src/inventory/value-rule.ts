/** What a rule for one value is. Rules stand in name-rules.ts, address-rules.ts, key-rules.ts and path-rules.ts. */

/** A predicate for the value at hand (`is no port`) and the remedy; read as `VALUE problem (remedy)`. */
export interface Flaw {
  readonly problem: string;
  readonly remedy: string;
}

export interface ValueRule {
  /** What is wrong with the text; undefined when it is right. */
  readonly check: (text: string) => Flaw | undefined;
  /** For editors: a regular expression that every right text matches; it may let more through. */
  readonly pattern: string;
  /** The value may be a secret written in the wrong place: never show it. */
  readonly secret?: boolean;
}

/** A flaw in words: `VALUE problem (remedy)`. */
export function flaw(problem: string, remedy: string): Flaw {
  return { problem, remedy };
}
