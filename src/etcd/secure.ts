/** TLS over any byte stream: an SSH tunnel, a TCP connection. */
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { QuorateError } from '../domain/errors.ts';
import { alertOf, codeOf, EtcdError, type EtcdFailure } from './etcd-error.ts';

/** Opens a byte stream to an endpoint; called once a connection. What is not open once `signal` is aborted is given up. */
export type StreamFactory = (signal: AbortSignal) => Promise<Duplex>;

/** PEM texts. Keys and certificates are never part of an error. */
export interface TlsMaterial {
  /** Authorities that the server's certificate must come from. */
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface SecureOptions {
  /** The controller's name, for messages. */
  readonly host: string;
  readonly stream: StreamFactory;
  readonly tls: TlsMaterial;
  /** IP addresses or DNS names, one of which the server's certificate must carry; undefined: whatever it shows is taken. */
  readonly identities: readonly string[] | undefined;
  readonly alpn?: readonly string[] | undefined;
  /** Until the handshake is through, opening the stream included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

type Opening = Pick<SecureOptions, 'host' | 'stream' | 'timeoutMs' | 'signal'>;

/**
 * A TLS connection whose handshake is through on this side. Under TLS 1.3 the server may judge the client's certificate only
 * after that. Throws EtcdError `refused`, `tls`, `identity`, `timeout` or `closed`.
 */
export async function connectSecurely(options: SecureOptions): Promise<TLSSocket> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const stream = await open(options, signal);
  const socket = connect(connectionOptions(options, stream));
  try {
    await handshake(socket, stream, signal);
    return socket;
  } catch (error) {
    socket.destroy();
    stream.destroy();
    throw describe(error, options, deadline);
  }
}

/** The stream without TLS, open; throws as {@link connectSecurely} does. */
export async function connectPlainly(options: Opening): Promise<Duplex> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  return open(options, options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]));
}

/** Whether a handshake failed as it does with a port that speaks plaintext alone: it ends the connection, or answers something that is no TLS. */
export function isNoTls(error: unknown): boolean {
  if (!(error instanceof EtcdError)) return false;
  return error.failure === 'closed' || codeOf(error.cause) === 'ERR_SSL_WRONG_VERSION_NUMBER';
}

async function open(options: Opening, signal: AbortSignal): Promise<Duplex> {
  const opening = options.stream(signal);
  try {
    return await orAborted(opening, signal);
  } catch (error) {
    opening.then((late) => late.destroy()).catch(() => undefined);
    if (error instanceof QuorateError) throw error;
    if (signal.aborted) throw describe(error, options, signal);
    throw failed('refused', options.host, reasonOf(error), error);
  }
}

function connectionOptions(options: SecureOptions, stream: Duplex): ConnectionOptions {
  const { identities, tls } = options;
  return {
    socket: stream,
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2',
    // As Go does: an intermediate that was imported is trusted alone, not its root.
    allowPartialTrustChain: true,
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
    ...(identities === undefined
      ? { rejectUnauthorized: false }
      : {
          checkServerIdentity: (_name, certificate) => {
            const mismatches = identities.map((each) => checkServerIdentity(each, certificate));
            return mismatches.includes(undefined) ? undefined : mismatches[0];
          },
        }),
  };
}

function handshake(socket: TLSSocket, stream: Duplex, signal: AbortSignal): Promise<void> {
  return orAborted(
    new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      stream.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed in the TLS handshake')));
    }),
    signal,
  );
}

function describe(error: unknown, options: Opening, deadline: AbortSignal): QuorateError {
  const { host, timeoutMs, signal } = options;
  if (error instanceof QuorateError) return error;
  if (signal?.aborted) return new QuorateError('interrupted', `${host}: interrupted`, { host });
  if (deadline.aborted) return failed('timeout', host, `no TLS connection within ${timeoutMs / 1000} s`, error);
  const alert = alertOf(error);
  if (alert !== undefined) return failed('tls', host, alert, error);
  return failed(failureOf(codeOf(error)), host, reasonOf(error), error);
}

/** Codes: Node's `tls` module and OpenSSL's X509_V_ERR_… names. */
function failureOf(code: string): EtcdFailure {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'identity';
  if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'refused';
  return code.startsWith('ERR_SSL') || /CERT|SIGNATURE|ISSUER|CHAIN|CRL/.test(code) ? 'tls' : 'closed';
}

/** The EtcdError for a connection to `host` that failed because of `reason`. */
export function failed(failure: EtcdFailure, host: string, reason: string, cause: unknown): EtcdError {
  const words = {
    refused: 'etcd cannot be reached',
    tls: 'the TLS handshake with etcd failed',
    identity: "etcd's certificate is not that of this member",
    timeout: 'etcd does not answer',
    closed: 'etcd closed the connection',
    etcd: 'etcd refused',
  } as const satisfies Record<EtcdFailure, string>;
  return new EtcdError(failure, `${host}: ${words[failure]}: ${reason}`, { host, reason, cause });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]?.slice(0, 300) || codeOf(error) : String(error);
}

/** Settles with `promise`, or rejects with the signal's reason as soon as it is aborted. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
