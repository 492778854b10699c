/** The load as a process of its own: an order on its first line of stdin, commands on the lines behind, events on stdout. */
import { createInterface } from 'node:readline';
import { type RunningClient, startClient } from './client.ts';
import { openLedger } from './ledger.ts';
import { openMaterial } from './material.ts';
import type { LoadCommand, LoadEvent, LoadOrder } from './order.ts';
import { verifyStore } from './store.ts';

const WATCH_MS = 5;

const clock = (): number => performance.now();
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

await main();

async function main(): Promise<void> {
  const first = await lines.next();
  const order: LoadOrder = JSON.parse(first.value ?? '');
  setTimeout(() => process.exit(3), order.lifeMs).unref();
  const ledger = openLedger(clock);
  const watch = watchOwnPauses((ms) => ledger.paused(ms));
  const clients = order.clients.map((each) => startClient(each, order, { ledger, clock }));
  tell({ event: 'running' });
  const ended = await obey({
    phase: (name) => tell({ event: 'phase', ended: ledger.begin(name) }),
    retire: async (name) => {
      await stop(clients.filter((each) => each.name === name));
      tell({ event: 'retired' });
    },
  });
  // The test that started it is gone.
  if (!ended) process.exit(4);
  await stop(clients);
  const { total, phases } = ledger.end();
  clearInterval(watch);
  const acknowledged = { prefix: order.prefix, written: ledger.written() };
  const store = await verifyStore(order.verifyAt ?? order.endpoints, openMaterial(order.verifyWith), acknowledged);
  // Attempts that were given up may hold their connections for a while yet.
  tell({ event: 'report', report: { total, phases, failures: ledger.failures, store } }, () => process.exit(0));
}

/** Whether the end was commanded; false where stdin ended without it. */
async function obey(acts: {
  readonly phase: (name: string) => void;
  readonly retire: (client: string) => Promise<void>;
}): Promise<boolean> {
  for (;;) {
    const line = await lines.next();
    if (line.done === true) return false;
    const command: LoadCommand = JSON.parse(line.value);
    if ('end' in command) return true;
    if ('phase' in command) acts.phase(command.phase);
    else await acts.retire(command.retire);
  }
}

async function stop(clients: readonly RunningClient[]): Promise<void> {
  await Promise.all(clients.map((each) => each.stop()));
}

function watchOwnPauses(tell: (ms: number) => void): NodeJS.Timeout {
  let last = clock();
  return setInterval(() => {
    const now = clock();
    tell(Math.max(0, now - last - WATCH_MS));
    last = now;
  }, WATCH_MS);
}

function tell(event: LoadEvent, written?: () => void): void {
  process.stdout.write(`${JSON.stringify(event)}\n`, written);
}
