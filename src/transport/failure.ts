/** How the transport words its failures: stage and cause first without, then with the host's name. */
import { type ErrorCode, QuorateError } from '../domain/errors.ts';

/** Where on the way to a host it failed; stands in the error's `step`. */
export type TransportStage =
  | 'connect'
  | 'handshake'
  | 'host key'
  | 'authentication'
  | 'channel'
  | 'sudo'
  | 'command'
  | 'tunnel';

/** What else is known about a failure. */
export interface FailureFields {
  readonly code?: ErrorCode | undefined;
  readonly hint?: string | undefined;
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** An `unreachable` (or other) error that does not name the host yet: a bastion's failure belongs to many hosts. */
export function stageFailure(stage: TransportStage, message: string, fields: FailureFields = {}): QuorateError {
  const { code = 'unreachable', ...rest } = fields;
  return new QuorateError(code, message, { ...rest, step: stage });
}

/** The same failure told for one host, whose name comes first. Whatever is no QuorateError is a bug and comes back as it is. */
export function nameHost(host: string, error: unknown): unknown {
  if (!(error instanceof QuorateError) || error.host !== undefined) return error;
  const { code, message, hint, step, detail, cause, errors } = error;
  return new QuorateError(code, `${host}: ${message}`, { hint, host, step, detail, cause, errors });
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
