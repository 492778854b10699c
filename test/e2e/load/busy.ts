/** A program: puts at a rate of hundreds on few connections, each given up with its first call that fails. Arguments: port, folder of certificates, seconds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connections, causeOf, openConnections } from './connections.ts';

const CONNECTIONS = 3;
const PAUSE_MS = 3;
const ATTEMPT_MS = 400;
const MOST_AT_ONCE = 60;

const [port = '', folder = '', seconds = ''] = process.argv.slice(2);
const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');
const tls = { ca: pem('ca.crt'), cert: pem('root.crt'), key: pem('root.key') };
const endpoints = [{ name: 'member', address: '127.0.0.1', port: Number(port) }];
const clock = () => performance.now();
const end = clock() + Number(seconds) * 1000;
const ends = { done: 0, failed: 0 };

async function put(connections: Connections, key: string): Promise<void> {
  try {
    await connections.attempt((client) => client.put(key, 'x'.repeat(100)), ATTEMPT_MS);
    ends.done += 1;
  } catch (error) {
    causeOf(error);
    ends.failed += 1;
  }
}

async function keepBusy(name: number): Promise<void> {
  const connections = openConnections({ endpoints, material: () => tls, persistent: true, clock });
  const pending = new Set<Promise<void>>();
  for (let count = 0; clock() < end; count += 1) {
    if (pending.size < MOST_AT_ONCE) {
      const call = put(connections, `${name}/${count}`).finally(() => pending.delete(call));
      pending.add(call);
    }
    await sleep(PAUSE_MS);
  }
  await Promise.all(pending);
  connections.close();
}

await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => keepBusy(index)));
console.log(JSON.stringify(ends));
