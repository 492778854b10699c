/** Asks what etcd tells in plain HTTP on its client port: the cluster's version, and whether it is ready. */
import type { Duplex } from 'node:stream';
import { connectPlainly, connectSecurely, failed, orAborted, type SecureOptions } from './secure.ts';

/** What a member says of itself and of its cluster. */
export interface VersionAnswer {
  /** `3.6.16` */
  readonly server: string;
  /** `3.6.0`; `not_decided` while there is none. */
  readonly cluster: string;
  /** Whether `/readyz` says so; undefined before 3.4.29 and 3.5.11, which have none. */
  readonly ready: boolean | undefined;
}

/** `/version` and `/readyz`, over one connection each. Throws EtcdError where no answer comes, or none that is understood. */
export async function askVersion(options: Omit<SecureOptions, 'alpn'>): Promise<VersionAnswer> {
  const [version, readyz] = await Promise.all([get(options, '/version'), get(options, '/readyz')]);
  const told = parse(version.body);
  if (version.status !== 200 || told === undefined) {
    throw failed('closed', options.host, `/version gives status ${version.status}`, undefined);
  }
  return { ...told, ready: readyz.status === 404 ? undefined : readyz.status === 200 };
}

/** Whether `/version` is answered without TLS; false where nobody answers too. */
export async function answersPlainly(options: Pick<SecureOptions, 'host' | 'stream' | 'timeoutMs'>): Promise<boolean> {
  try {
    const stream = await connectPlainly(options);
    const late = AbortSignal.timeout(options.timeoutMs);
    return await orAborted(exchange(stream, '/version'), late)
      .then(({ status }) => status === 200)
      .finally(() => stream.destroy());
  } catch {
    return false; // no answer is what a port with TLS gives
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** HTTP/1.0 has no chunks: the answer ends where the connection does. */
async function get(options: Omit<SecureOptions, 'alpn'>, path: string): Promise<Answer> {
  const socket = await connectSecurely(options);
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  try {
    return await orAborted(exchange(socket, path), signal);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw failed(deadline.aborted ? 'timeout' : 'closed', options.host, `no answer to ${path}`, cause);
  } finally {
    socket.destroy();
  }
}

const MAX_ANSWER = 65_536;

function exchange(socket: Duplex, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received = '';
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received.length > MAX_ANSWER) reject(new Error('the answer is too long'));
    });
    socket.on('end', () => {
      const [, status, body] = /^HTTP\/1\.\d (\d{3}) [\s\S]*?\r\n\r\n([\s\S]*)$/.exec(received) ?? [];
      if (status === undefined) reject(new Error('no HTTP answer'));
      else resolve({ status: Number(status), body: body ?? '' });
    });
    socket.write(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`);
  });
}

function parse(body: string): { readonly server: string; readonly cluster: string } | undefined {
  const [server, cluster] = ['etcdserver', 'etcdcluster'].map(
    (key) => new RegExp(`"${key}":"([^"]{1,40})"`).exec(body)?.[1],
  );
  return server === undefined || cluster === undefined ? undefined : { server, cluster };
}
