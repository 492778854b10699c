/** One client's connections to all members: which member is asked next, and what an attempt costs at most. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createCalls } from '../../../src/etcd/calls.ts';
import { connectEtcd, EtcdClient } from '../../../src/etcd/client.ts';
import { EtcdError } from '../../../src/etcd/etcd-error.ts';
import { connectPlainly } from '../../../src/etcd/secure.ts';
import { dial } from './dial.ts';
import type { Material } from './material.ts';
import type { Endpoint } from './order.ts';

/** A member that failed is asked again after this long, sooner where no other is left. */
const BACKOFF_MS = 1_000;

export interface Connections {
  /** One attempt at the next member; throws for whatever went wrong, at the latest after `attemptMs`. */
  attempt<T>(run: (client: EtcdClient) => Promise<T>, attemptMs: number): Promise<T>;
  close(): void;
}

export interface ConnectionsOrder {
  readonly endpoints: readonly Endpoint[];
  readonly material: Material | 'plaintext';
  readonly persistent: boolean;
  readonly clock: () => number;
}

interface Line {
  readonly endpoint: Endpoint;
  open: Promise<EtcdClient> | undefined;
  downUntil: number;
}

/** The members take turns, as with gRPC's round robin. */
export function openConnections({ endpoints, material, persistent, clock }: ConnectionsOrder): Connections {
  const lines = endpoints.map((endpoint): Line => ({ endpoint, open: undefined, downUntil: 0 }));
  let turn = 0;
  const next = (): Line => {
    const order = lines.map((_, index) => lines[(turn + index) % lines.length]).filter((each) => each !== undefined);
    const soonest = [...order].sort((left, right) => left.downUntil - right.downUntil)[0];
    const chosen = order.find((each) => each.downUntil <= clock()) ?? soonest;
    if (chosen === undefined) throw new Error('no endpoints');
    turn = lines.indexOf(chosen) + 1;
    return chosen;
  };
  return {
    attempt: async (run, attemptMs) => {
      const line = next();
      const opening = persistent && line.open !== undefined ? line.open : connect(line.endpoint, material, attemptMs);
      if (persistent) line.open = opening;
      const drop = (): void => {
        if (line.open === opening) line.open = undefined;
        opening.then((client) => client.close()).catch(() => undefined);
      };
      try {
        const startedAt = clock();
        const client = await within(attemptMs, opening, 'connection');
        const answer = await within(attemptMs - (clock() - startedAt), run(client), 'answer');
        line.downUntil = 0;
        if (!persistent) drop();
        return answer;
      } catch (error) {
        if (!(error instanceof EtcdError && error.failure === 'etcd')) drop();
        line.downUntil = clock() + BACKOFF_MS;
        throw error;
      }
    },
    close: () => {
      for (const { open } of lines) open?.then((client) => client.close()).catch(() => undefined);
    },
  };
}

async function connect(
  { name, address, port }: Endpoint,
  material: Material | 'plaintext',
  timeoutMs: number,
): Promise<EtcdClient> {
  if (material === 'plaintext') {
    const options = { host: name, stream: dial(address, port), timeoutMs };
    return new EtcdClient('', createCalls(await connectPlainly(options)), {
      ...options,
      tls: { ca: '' },
      identities: [],
    });
  }
  const tls = material();
  return connectEtcd({ host: name, stream: dial(address, port), tls, identities: [address], timeoutMs });
}

/** What an attempt ended with, in words without names, addresses and numbers of ports, so that equal causes are counted together. */
export function causeOf(error: unknown): string {
  const text = error instanceof EtcdError ? `${error.failure}: ${error.reason}` : String(error);
  return text
    .replaceAll(/\s*\d{1,3}(\.\d{1,3}){3}(:\d+)?/g, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 160);
}

async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no ${what} in time`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
    work.catch(() => undefined);
  }
}
