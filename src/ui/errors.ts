/** Errors as people read them (`error:` and `hint:` lines) and as programs do (JSON). */
import { inspect } from 'node:util';
import { exitStatus, QuorateError } from '../domain/errors.ts';
import type { Paint } from './paint.ts';
import { clean, indent } from './text.ts';

export interface ErrorLook {
  readonly paint: Paint;
  /** Adds steps, remote stderr and causes. */
  readonly verbose: boolean;
  /** The debug log, where one was written. */
  readonly logPath: string | undefined;
}

/** How deep causes are followed. */
const MAX_CAUSES = 8;

/**
 * The error as lines without a final line feed. A QuorateError is a sentence and hints, every failing host listed; anything else is a bug:
 * its stack, and how to report it. Ends with the debug log's path where there is one.
 */
export function renderError(error: unknown, look: ErrorLook): string {
  const lines = error instanceof QuorateError ? renderKnown(error, look) : renderBug(error, look);
  if (look.logPath !== undefined) lines.push(labelled('faint', 'log', look.logPath, look));
  return lines.join('\n');
}

/** The same as data: `{error: {code, message, exitStatus, …}}`; remote stderr and a bug's stack are included. */
export function errorToJson(error: unknown, logPath: string | undefined): { readonly error: object } {
  const body =
    error instanceof QuorateError
      ? knownToJson(error)
      : { code: 'bug', message: bugMessage(error), stack: stackOf(error) };
  return { error: { ...body, exitStatus: exitStatus(error), ...(logPath === undefined ? {} : { log: logPath }) } };
}

function renderKnown(error: QuorateError, look: ErrorLook): string[] {
  const leaves = error.errors.flatMap(leavesOf);
  const lines = [labelled('bad', 'error', headline(error), look)];
  if (look.verbose) lines.push(...details(error, look));
  for (const leaf of leaves) {
    lines.push(...indent(clean(headline(leaf)), '  '));
    if (look.verbose) lines.push(...details(leaf, look).map((line) => `  ${line}`));
  }
  return [...lines, ...renderHints([error, ...leaves], look)];
}

/** Each different hint once; with several, the hosts that it is for. */
function renderHints(errors: readonly QuorateError[], look: ErrorLook): string[] {
  const hosts = new Map<string, Set<string>>();
  for (const { hint, host } of errors) {
    if (hint === undefined) continue;
    const names = hosts.get(hint) ?? new Set();
    hosts.set(hint, host === undefined ? names : names.add(host));
  }
  return [...hosts].map(([hint, names]) => {
    const label = hosts.size > 1 && names.size > 0 ? `hint (${[...names].join(', ')})` : 'hint';
    return labelled('good', label, hint, look);
  });
}

function details(error: QuorateError, look: ErrorLook): string[] {
  const step = error.step === undefined ? [] : [`  during: ${clean(error.step)}`];
  const stderr = error.detail === undefined || error.detail.trim() === '' ? [] : indent(clean(error.detail), '  | ');
  const reasons = causes(error).map((cause) => `  caused by: ${clean(cause)}`);
  return [...step, ...stderr, ...reasons].map((line) => look.paint('faint', line));
}

function causes(error: Error): string[] {
  const found: string[] = [];
  let cause = error.cause;
  while (cause !== undefined && cause !== null && found.length < MAX_CAUSES) {
    found.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : inspect(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return found;
}

function renderBug(error: unknown, look: ErrorLook): string[] {
  const stack = stackOf(error).split('\n').slice(1);
  return [
    labelled('bad', 'error', `internal error: ${bugMessage(error)}`, look),
    ...stack.map((line) => look.paint('faint', clean(line))),
    ...(error instanceof Error
      ? causes(error).map((cause) => look.paint('faint', `  caused by: ${clean(cause)}`))
      : []),
    labelled('good', 'hint', 'this is a bug in quorate: please report it with the lines above and the log', look),
  ];
}

/** Host first; the message may already begin with it. */
function headline(error: QuorateError): string {
  const { host, message } = error;
  return host === undefined || message.startsWith(`${host}:`) ? message : `${host}: ${message}`;
}

function leavesOf(error: QuorateError): QuorateError[] {
  return error.errors.length === 0 ? [error] : error.errors.flatMap(leavesOf);
}

function labelled(style: 'bad' | 'good' | 'faint', label: string, text: string, look: ErrorLook): string {
  const [first = '', ...rest] = clean(text).split('\n');
  return [`${look.paint(style, `${clean(label)}:`)} ${first}`, ...rest.map((line) => `  ${line}`)].join('\n');
}

function bugMessage(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}

function knownToJson(error: QuorateError): object {
  const { code, message, hint, host, step, detail, errors } = error;
  const given = Object.entries({ hint, host, step, detail }).filter(([, value]) => value !== undefined);
  return {
    code,
    message,
    ...Object.fromEntries(given),
    ...(errors.length === 0 ? {} : { errors: errors.map(knownToJson) }),
  };
}
