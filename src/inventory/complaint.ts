/** Complaints about an inventory: what they hold, and how they read. */
import { combineErrors, QuorateError } from '../domain/errors.ts';

export type Path = readonly (string | number)[];

export interface Complaint {
  readonly path: Path;
  /** A sentence without its subject, remedy in brackets: `"x y" is no name (write …)`. */
  readonly message: string;
  /** Where in the text, in characters from 0. */
  readonly offset: number;
}

/** Turns an offset into line and column, both from 1. */
export type Locate = (offset: number) => { readonly line: number; readonly col: number };

/**
 * The complaints in the order of the text as one error, code `inventory`: alone it is the error itself, several are its `errors`.
 * Each message reads `FILE:LINE:COLUMN: path: what is wrong (what would be right)`. Needs at least one.
 */
export function complaintError(fileName: string, complaints: readonly Complaint[], locate: Locate): QuorateError {
  const sorted = complaints.toSorted((left, right) => left.offset - right.offset);
  const messages = new Set(
    sorted.map(({ path, message, offset }) => {
      const { line, col } = locate(offset);
      const subject = path.length === 0 ? '' : `${formatPath(path)}: `;
      return `${fileName}:${line}:${col}: ${subject}${message}`;
    }),
  );
  const errors = [...messages].map((message) => new QuorateError('inventory', message));
  return combineErrors(`${fileName}: ${errors.length} complaints`, errors);
}

/** `controllers.a.listenAddresses[0]`; keys with other characters in brackets and quotes. */
export function formatPath(path: Path): string {
  const parts = path.map((part) => {
    if (typeof part === 'number') return `[${part}]`;
    return /^[A-Za-z0-9_-]+$/.test(part) ? `.${part}` : `[${quote(part)}]`;
  });
  return parts.join('').replace(/^\./, '');
}

/** Text in double quotes, on one line, harmless on a terminal, at most 80 characters of it. */
export function quote(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const escaped = JSON.stringify(short).replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
  return escaped;
}

/** Whether one path is the other, or leads to it. */
export function leadsTo(path: Path, other: Path): boolean {
  return path.length <= other.length && path.every((part, index) => part === other[index]);
}
