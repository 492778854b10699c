/** Takes secrets out of text before anyone sees it: known values in the shapes that they travel in, and whatever looks like a key or a token. */

import { plainJson } from './plain-json.ts';

const MASK = '<redacted>';

/** Values shorter than this are left alone: masking each `ab` would make text unreadable, and tell the secret by its gaps. */
const SHORTEST_SECRET = 6;

/** Lines of a secret with several lines (PEM) are secrets of their own from this length on. */
const SHORTEST_LINE = 8;

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The text with `<redacted>` in place of each secret of six characters or more (as it is, line by line, in base64 at any alignment, in hex,
 * JSON-escaped, URL-encoded), of private key blocks in PEM, of age identities, and of token values (`initial-cluster-token: …`,
 * `"token": "…"`). No secret of six characters or more is in the result. Redacting twice changes nothing.
 */
export function redact(text: string, secrets: readonly string[]): string {
  return redactor(secrets)(text);
}

/** {@link redact} for many texts and the same secrets. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  const needles = [...new Set(known.flatMap(shapes))];
  const survives = (text: string) => known.some((secret) => text.includes(secret));
  return (text) => {
    const spans = [...needles.flatMap((needle) => occurrences(text, needle)), ...lookalikes(text)];
    if (spans.length === 0) return text;
    const merged = merge(spans);
    // A secret may be a part of the mask, or arise where the mask meets the rest.
    const results = [MASK, '*', ''].map((mask) => cover(text, merged, mask));
    return results.find((result) => !survives(result)) ?? '';
  };
}

function shapes(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const bodies =
    lines.length === 1 ? [] : lines.filter((line) => line.length >= SHORTEST_LINE && !line.startsWith('-----'));
  return [
    secret,
    ...(secret.trim().length >= SHORTEST_SECRET ? [secret.trim()] : []),
    ...bodies,
    ...[0, 1, 2].flatMap((shift) => base64Core(bytes, shift)),
    hex,
    hex.toUpperCase(),
    ...jsonShapes(secret),
    encodeUri(secret),
  ];
}

/** As JSON writers escape it: only what JSON demands, Go's (encoding/json: also what HTML knows), all but ASCII, ours; and each in JSON once more. */
function jsonShapes(secret: string): string[] {
  const plain = JSON.stringify(secret).slice(1, -1);
  const go = plain.replace(/[<>&\u2028\u2029]/g, escapeUnit);
  const ascii = plain.replace(/[^\x20-\x7e]/g, escapeUnit);
  const all = [plain, go, ascii, go.replace(/[^\x20-\x7e]/g, escapeUnit), plainJson(secret).slice(1, -1)];
  return all.flatMap((each) => [each, JSON.stringify(each).slice(1, -1)]);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The characters that any base64 of a text with these bytes at offset `shift` (mod 3) has: those that depend on these bytes alone. */
function base64Core(bytes: Buffer, shift: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
  const start = Math.ceil((shift * 8) / 6);
  const end = Math.floor((padded.length * 8) / 6);
  return [padded.toString('base64').slice(start, end), padded.toString('base64url').slice(start, end)];
}

function encodeUri(secret: string): string {
  try {
    return encodeURIComponent(secret);
  } catch {
    return secret; // a lone surrogate has no UTF-8
  }
}

function occurrences(text: string, needle: string): Span[] {
  const spans: Span[] = [];
  for (let start = text.indexOf(needle); start >= 0; start = text.indexOf(needle, start + 1)) {
    spans.push({ start, end: start + needle.length });
  }
  return spans;
}

/** A block without its end is taken to the end of the text. */
const privateKey = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY( BLOCK)?-----[\s\S]*?(?:-----END \1PRIVATE KEY\2-----|$)/g;
const ageIdentity = /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+/gi;
/** YAML, JSON, environment and flags; placeholders in angle brackets are no values. The value is the last group. */
const token =
  /((?:initial[-_]cluster[-_]token["']?(?:\s*[:=]\s*|[ \t]+)|["']token["']\s*:\s*|^[ \t+-]*token\s*[:=]\s*))(?!<)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,}"']+)/gim;

function lookalikes(text: string): Span[] {
  const whole = [privateKey, ageIdentity].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length })),
  );
  const values = [...text.matchAll(token)].map((match) => {
    const end = match.index + match[0].length;
    const value = match[2] ?? '';
    const quote = /^["']/.test(value) ? 1 : 0;
    return { start: end - value.length + quote, end: end - quote };
  });
  return [...whole, ...values.filter((span) => span.end > span.start)];
}

function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && span.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else merged.push(span);
  }
  return merged;
}

function cover(text: string, spans: readonly Span[], mask: string): string {
  let result = '';
  let position = 0;
  for (const span of spans) {
    result += text.slice(position, span.start) + mask;
    position = span.end;
  }
  return result + text.slice(position);
}
