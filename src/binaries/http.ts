/** Reading over HTTP: proxies from the environment, redirects that never lose TLS, timeouts. */
import type { Readable } from 'node:stream';
import { QuorateError } from '../domain/errors.ts';

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
  /** The address that answered, after redirects. */
  readonly url: string;
}

export interface HttpClient {
  get(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MAX_REDIRECTS = 5;
/** Without an octet for this long, a connection is dead. */
const IDLE_MS = 30_000;
/** For the head of an answer, connecting included. */
const ANSWER_MS = 60_000;

/** A client for HTTP(S)_PROXY and NO_PROXY of `environment` (either case). undici is loaded here and nowhere else. */
export async function openHttp(environment: Environment): Promise<HttpClient> {
  // A CommonJS module: in the bundle it has no names but the default one.
  const { default: undici } = await import('undici');
  const { EnvHttpProxyAgent, request } = undici;
  const agent = new EnvHttpProxyAgent({
    httpProxy: environment['http_proxy'] ?? environment['HTTP_PROXY'] ?? '',
    httpsProxy: environment['https_proxy'] ?? environment['HTTPS_PROXY'] ?? '',
    noProxy: environment['no_proxy'] ?? environment['NO_PROXY'] ?? '',
    // Plain http goes through a proxy as a request, not through a tunnel: many proxies tunnel to port 443 only.
    proxyTunnel: false,
    connect: { timeout: 15_000 },
    headersTimeout: IDLE_MS,
    bodyTimeout: IDLE_MS,
  });
  const once = async (url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) => {
    // Covers what undici's own limits leave out: a proxy that accepts a tunnel and never answers.
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(new Error(`${url}: no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
    const response = await request(url, {
      dispatcher: agent,
      headers,
      signal: AbortSignal.any([signal, patience.signal]),
    }).finally(() => clearTimeout(timer));
    return { status: response.statusCode, headers: response.headers, body: response.body, url };
  };
  return {
    get: (url, headers, signal) => follow(url, (next) => once(next, headers, signal)),
    close: () => agent.destroy(),
  };
}

async function follow(url: string, get: (url: string) => Promise<HttpResponse>): Promise<HttpResponse> {
  let next = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(next);
    const location = response.headers['location'];
    if (response.status < 300 || response.status > 308 || typeof location !== 'string') return response;
    response.body.on('error', () => undefined).destroy();
    const target = new URL(location, next);
    if (next.startsWith('https:') && target.protocol !== 'https:') {
      throw new QuorateError('untrusted', `${next}: redirects from https to ${target.protocol}`, {
        hint: 'use a mirror that keeps TLS, or binaries: {source: file, path: …}',
      });
    }
    next = target.href;
  }
  throw new QuorateError('unreachable', `${url}: more than ${MAX_REDIRECTS} redirects`);
}
