/** Proofs that a port authenticates: what it says to no certificate, to a wrong one, and what it shows itself. */
import type { TLSSocket } from 'node:tls';
import { alertOf, codeOf } from './etcd-error.ts';
import { connectSecurely, orAborted, type SecureOptions, type TlsMaterial } from './secure.ts';

/** How a port is reached; `host` is the controller's name. */
export type ProofTarget = Pick<SecureOptions, 'host' | 'stream' | 'timeoutMs' | 'signal'>;

export interface Judgement {
  /** An HTTP answer came back: the port took the certificate (or asked for none). */
  readonly accepted: boolean;
  /** The alert by which the port refused, `certificate required (116)`; undefined when none came. */
  readonly alert: string | undefined;
  /**
   * The port ended the connection after the handshake without an alert and without an answer. etcd does that with what is on its revocation list
   * (client/pkg/transport/listener_tls.go, acceptLoop); so does a process that dies.
   */
  readonly closed: boolean;
  /** The first line of the HTTP answer, or why there was none. */
  readonly detail: string;
}

/** How long a server may take to judge a certificate before the request is sent: a request too early can bury its alert. */
const JUDGEMENT_MS = 250;
const ATTEMPTS = 3;
const closedSilently = new Error('closed without an alert');

/**
 * Makes one request with this certificate, or with none. Works on the client and on the peer port: both answer `GET /version`
 * in HTTP/1.1 without ALPN. A port is proved closed only by `alert`: under TLS 1.3 the handshake succeeds on the client's
 * side before the server has judged (RFC 8446, section 4.4.2.4), and a connection that ends without an alert proves nothing.
 * Throws EtcdError where no TLS connection comes about for another reason (refused, timeout, server's certificate not of `ca`).
 */
export async function presentCertificate(target: ProofTarget, tls: TlsMaterial): Promise<Judgement> {
  for (let attempt = 1; ; attempt += 1) {
    const judgement = await presentOnce(target, tls);
    if (judgement.accepted || judgement.alert !== undefined || attempt === ATTEMPTS) return judgement;
  }
}

/** PEM of what a port shows, whatever it is: the leaf first, then what is served behind it; throws EtcdError where no TLS connection comes about. */
export async function servedCertificate(target: ProofTarget): Promise<string> {
  const socket = await connectSecurely({ ...target, tls: { ca: '' }, identities: undefined });
  const shown: string[] = [];
  // As Node has it, each certificate's issuer is the next one that was sent, whoever signed it.
  for (let each = socket.getPeerX509Certificate(); each !== undefined; each = each.issuerCertificate) {
    shown.push(each.toString());
  }
  socket.on('error', () => undefined);
  socket.destroy();
  return shown.join('');
}

async function presentOnce(target: ProofTarget, tls: TlsMaterial): Promise<Judgement> {
  let socket: TLSSocket;
  try {
    socket = await connectSecurely({ ...target, tls, identities: undefined });
  } catch (error) {
    // Under TLS 1.2 the server judges within the handshake.
    const alert = alertOf(error);
    if (alert === undefined) throw error;
    return { accepted: false, alert, closed: false, detail: 'refused in the handshake' };
  }
  try {
    const deadline = AbortSignal.timeout(target.timeoutMs);
    const signal = target.signal === undefined ? deadline : AbortSignal.any([deadline, target.signal]);
    const line = await orAborted(request(socket), signal);
    return { accepted: true, alert: undefined, closed: false, detail: line };
  } catch (error) {
    const alert = alertOf(error);
    return { accepted: false, alert, closed: error === closedSilently, detail: codeOf(error) || String(error) };
  } finally {
    socket.destroy();
  }
}

/** The first line of the answer to `GET /version`; rejects with the socket's error. */
function request(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    socket.on('error', reject);
    socket.on('end', () => reject(closedSilently));
    socket.on('close', () => reject(closedSilently));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n');
      if (end >= 0) resolve(received.slice(0, end));
      else if (received.length > 4096) reject(new Error('no HTTP answer'));
    });
    setTimeout(() => {
      if (!socket.destroyed) socket.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    }, JUDGEMENT_MS);
  });
}
