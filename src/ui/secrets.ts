/** The secrets that this process has met: whatever is written anywhere passes through here first. */
import { redactor } from '../domain/redaction.ts';

export interface Secrets {
  /** From now on this value is masked everywhere. */
  add(secret: string): void;
  /** The text without secrets, known or recognised. */
  redact(text: string): string;
  /** The same for JSON: a copy with every text redacted, keys included. */
  redactValue(value: unknown): unknown;
}

export function createSecrets(): Secrets {
  const known = new Set<string>();
  let redact = redactor([]);
  return {
    add: (secret) => {
      if (known.has(secret)) return;
      known.add(secret);
      redact = redactor([...known]);
    },
    redact: (text) => redact(text),
    redactValue: (value) => redactDeep(value, redact),
  };
}

function redactDeep(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactDeep(each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [redact(key), redactDeep(each, redact)]));
}
