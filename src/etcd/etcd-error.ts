/** What goes wrong between quorate and an etcd endpoint, as fields. Never holds key material. */
import { type ErrorCode, type ErrorFields, QuorateError } from '../domain/errors.ts';

/**
 * `refused`: nobody listens, or the tunnel could not be opened. `tls`: one side rejected the other's certificate.
 * `identity`: the endpoint's certificate is not that of the member. `timeout`, `closed`: no answer. `etcd`: etcd answered
 * with an error of its own.
 */
export type EtcdFailure = 'refused' | 'tls' | 'identity' | 'timeout' | 'closed' | 'etcd';

/** A failed connection or call; `code` is `unreachable` unless etcd itself answered (`step-failed`). */
export class EtcdError extends QuorateError {
  readonly failure: EtcdFailure;
  /** gRPC's name of the status where etcd answered: `FailedPrecondition`, `Unavailable`, …; else ''. */
  readonly status: string;
  /** The other side's words: an alert (`certificate required (116)`), `connect ECONNREFUSED`, `etcdserver: unhealthy cluster`. */
  readonly reason: string;

  constructor(failure: EtcdFailure, message: string, fields: ErrorFields & { reason: string; status?: string }) {
    const code: ErrorCode = failure === 'etcd' ? 'step-failed' : 'unreachable';
    super(code, message, fields);
    this.name = 'EtcdError';
    this.failure = failure;
    this.status = fields.status ?? '';
    this.reason = fields.reason;
  }
}

/** RFC 8446, section 6; the numbers are what OpenSSL reports as `SSL alert number`. */
const alerts: Readonly<Record<number, string>> = {
  40: 'handshake failure',
  42: 'bad certificate',
  43: 'unsupported certificate',
  44: 'certificate revoked',
  45: 'certificate expired',
  46: 'certificate unknown',
  48: 'unknown CA',
  49: 'access denied',
  51: 'decrypt error',
  70: 'protocol version',
  80: 'internal error',
  116: 'certificate required',
  120: 'no application protocol',
};

/** The TLS alert that the other side sent, `unknown CA (48)`, when `error` or one of its causes tells of one. */
export function alertOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const number = Number(/SSL alert number (\d{1,3})/.exec(at.message)?.[1]);
    if (!Number.isNaN(number)) return `${alerts[number] ?? 'alert'} (${number})`;
  }
  return undefined;
}

/** Node's `code` of an error (`ECONNREFUSED`, `ERR_SSL_…`), '' where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
