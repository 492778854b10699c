/** Starts the load beside a test, and speaks with it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { LoadCommand, LoadEvent, LoadOrder, LoadReport, PhaseFigures } from './order.ts';

const entry = fileURLToPath(new URL('main.ts', import.meta.url));

/** Ten times what it needs: one that grows without end ends with a report of its own, and not with the machine's memory. */
const MEMORY_LIMIT_BYTES = 3 * 1024 ** 3;

export interface Load {
  readonly pid: number;
  /** Begins a phase; the figures of the one before. */
  phase(name: string): Promise<PhaseFigures>;
  /** Ends one client, whose requests are all answered or have failed by then. */
  retire(client: string): Promise<void>;
  /** Ends the clients, reads the store, and ends the process. */
  end(): Promise<LoadReport>;
  /** Ends the process at once; does nothing behind `end`. */
  kill(): Promise<void>;
}

/** Resolves when all clients run. Rejects with what the process said where it does not get so far. */
export async function startLoad(order: LoadOrder): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-load-'));
  const program = await bundle(folder);
  const node = [process.execPath, '--report-on-fatalerror', `--report-directory=${folder}`, program];
  const child = spawn('prlimit', [`--data=${MEMORY_LIMIT_BYTES}`, ...node], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const next = eventsOf(child);
  const say = (line: LoadOrder | LoadCommand): void => {
    child.stdin.write(`${JSON.stringify(line)}\n`);
  };
  say(order);
  await next('running');
  return {
    pid: child.pid ?? 0,
    phase: async (name) => {
      say({ phase: name });
      return (await next('phase')).ended;
    },
    retire: async (client) => {
      say({ retire: client });
      await next('retired');
    },
    end: async () => {
      say({ end: true });
      const { report } = await next('report');
      await gone;
      await rm(folder, { recursive: true, force: true });
      return report;
    },
    kill: async () => {
      // Of one that ended by itself its report is kept.
      const runs = child.exitCode === null && child.signalCode === null;
      child.kill('SIGKILL');
      await gone;
      if (runs || child.exitCode === 0) await rm(folder, { recursive: true, force: true });
    },
  };
}

type LoadProcess = ChildProcessByStdio<Writable, Readable, null>;
type EventOf<K extends LoadEvent['event']> = Extract<LoadEvent, { readonly event: K }>;

/** The next event, which must be of that kind. */
function eventsOf(child: LoadProcess): <K extends LoadEvent['event']>(kind: K) => Promise<EventOf<K>> {
  // A write to a process that has ended shows as its end when the next event is waited for.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (kind) => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`the load ended by itself (${child.exitCode ?? child.signalCode})`);
    const event: LoadEvent = JSON.parse(line.value);
    if (isOf(event, kind)) return event;
    throw new Error(`the load says ${event.event}, not ${kind}`);
  };
}

function isOf<K extends LoadEvent['event']>(event: LoadEvent, kind: K): event is EventOf<K> {
  return event.event === kind;
}

async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, 'load.mjs');
  const options = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' } as const;
  await build({ ...options, entryPoints: [entry], outfile });
  return outfile;
}
