/** One client under load: so many requests a second, each retried on the other members until one answers or its time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EtcdClient } from '../../../src/etcd/client.ts';
import { type Connections, causeOf, openConnections } from './connections.ts';
import { contentOf, keyOf } from './keys.ts';
import type { Clock, Ledger } from './ledger.ts';
import { openMaterial } from './material.ts';
import type { ClientOrder, LoadOrder } from './order.ts';

/** Between two attempts of one request. */
const PAUSE_MS = 20;

export interface RunningClient {
  readonly name: string;
  /** Begins no more requests; resolves when those that were begun have ended. */
  stop(): Promise<void>;
}

interface Request {
  readonly what: string;
  run(client: EtcdClient): Promise<void>;
}

/**
 * Requests begin by the clock, whether those before have ended or not, up to a second's worth of them: more would bury a member
 * that comes back under handshakes.
 */
export function startClient(
  order: ClientOrder,
  load: LoadOrder,
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
): RunningClient {
  const material = order.material === 'plaintext' ? order.material : openMaterial(order.material);
  const persistent = order.connections === 'persistent';
  const connections = openConnections({ endpoints: load.endpoints, material, persistent, clock });
  const pending = new Set<Promise<void>>();
  const startedAt = clock();
  let begun = 0;
  const tick = setInterval(() => {
    for (; begun < ((clock() - startedAt) / 1000) * order.perSecond; begun += 1) {
      if (pending.size >= order.perSecond) continue;
      const request = order.does === 'write' ? write(order, load, ledger, begun) : read(order, load, ledger);
      if (request === undefined) continue;
      const done = insist(request, connections, { order, load, ledger, clock }).finally(() => pending.delete(done));
      pending.add(done);
    }
  }, 1000 / order.perSecond);
  return {
    name: order.name,
    stop: async () => {
      clearInterval(tick);
      await Promise.all(pending);
      connections.close();
    },
  };
}

function write({ name }: ClientOrder, { prefix }: LoadOrder, ledger: Ledger, sequence: number): Request {
  const written = { client: name, sequence };
  const key = keyOf(prefix, written);
  return {
    what: `put ${key}`,
    run: async (client) => {
      await client.put(key, contentOf(prefix, written));
      ledger.acknowledged(name, sequence);
    },
  };
}

/** What was acknowledged before a linearizable read begins must be in its answer. Nothing to do before the first write. */
function read({ name }: ClientOrder, { prefix }: LoadOrder, ledger: Ledger): Request | undefined {
  const newest = ledger.newest();
  if (newest === undefined) return undefined;
  const key = keyOf(prefix, newest);
  return {
    what: `get ${key}`,
    run: async (client) => ledger.read(name, (await client.get(key)) === contentOf(prefix, newest)),
  };
}

interface Circumstances {
  readonly order: ClientOrder;
  readonly load: LoadOrder;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

async function insist(request: Request, connections: Connections, at: Circumstances): Promise<void> {
  const { load, ledger, clock } = at;
  const deadline = clock() + load.boundMs;
  const causes: string[] = [];
  for (let left = load.boundMs; left > 0; left = deadline - clock()) {
    try {
      return await connections.attempt((client) => request.run(client), Math.ceil(Math.min(load.attemptMs, left)));
    } catch (error) {
      const cause = causeOf(error);
      ledger.retried(at.order.name, cause);
      if (causes.at(-1) !== cause) causes.push(cause);
    }
    await sleep(PAUSE_MS);
  }
  ledger.failed(at.order.name, `${request.what}: ${causes.slice(-5).join(', then ')}`);
}
