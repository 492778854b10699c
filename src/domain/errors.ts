/** The one error family of quorate, and the exit status that each of its codes gives. */

/** Why something ended: each code has one exit status (see {@link exitStatus}). */
export type ErrorCode =
  | 'usage'
  | 'inventory'
  | 'unreachable'
  | 'untrusted'
  | 'refused'
  | 'step-failed'
  | 'stale-plan'
  | 'locked'
  | 'interrupted';

/** What an error may carry besides its code and message. */
export interface ErrorFields {
  /** The command to run or the line to change. */
  readonly hint?: string | undefined;
  /** The controller's name (never an address alone). */
  readonly host?: string | undefined;
  /** The step or stage in which it happened. */
  readonly step?: string | undefined;
  /** What a remote command wrote to stderr; shown with `--verbose`, never matched on. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
  /** Several failures told as one: every failing host, every complaint about an inventory. */
  readonly errors?: readonly QuorateError[] | undefined;
}

/** An expected failure: told as a sentence and a hint, never with a stack. */
export class QuorateError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly host: string | undefined;
  readonly step: string | undefined;
  readonly detail: string | undefined;
  readonly errors: readonly QuorateError[];

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? {} : { cause: fields.cause });
    this.name = 'QuorateError';
    this.code = code;
    this.hint = fields.hint;
    this.host = fields.host;
    this.step = fields.step;
    this.detail = fields.detail;
    this.errors = fields.errors ?? [];
  }
}

const statusOf = {
  usage: 10,
  inventory: 11,
  unreachable: 12,
  untrusted: 12,
  refused: 13,
  'step-failed': 14,
  'stale-plan': 15,
  locked: 16,
  interrupted: 130,
} as const satisfies Record<ErrorCode, number>;

/** The process's exit status for whatever was thrown: 1 (a bug) for everything that is no QuorateError. */
export function exitStatus(error: unknown): number {
  return error instanceof QuorateError ? statusOf[error.code] : 1;
}

/** One error for several: itself when it is alone; otherwise a summary that carries all of them. */
export function combineErrors(summary: string, errors: readonly QuorateError[]): QuorateError {
  const [first, ...others] = errors;
  if (first === undefined) throw new Error('combineErrors needs at least one error');
  if (others.length === 0) return first;
  return new QuorateError(first.code, summary, { errors });
}
