/** The load on a stage: who writes and reads, with which certificates, and how its figures are told. */
import { randomUUID } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from '../stage.ts';
import { isolate, removeEmptyGroups } from './isolate.ts';
import type { Causes, ClientOrder, Endpoint, LoadOrder, LoadReport, MaterialOrder, PhaseFigures } from './order.ts';
import { type Load, startLoad } from './start.ts';

/** etcd's election timeout as quorate sets it, and a second: the longest that acknowledged writes may be apart. */
export const GAP_LIMIT_MS = 2_000;

/** The fewest acknowledged writes a second that are a load (issue 4). */
export const RATE_LIMIT = 50;

/** Where the well-kept clients' `load.crt`, `load.key` and `ca.crt` stand; what is put there is read at the next handshake. */
export function keptFolder(stage: Stage): string {
  return join(stage.folder, 'load');
}

/** Which members clients know all the time, and which are members at the end. */
export interface LoadMembers {
  readonly asked: readonly string[];
  readonly atEnd: readonly string[];
}

export interface LoadWish {
  /** Where not quorate issues to clients. */
  readonly renewClients?: (() => Promise<void>) | undefined;
  /** Where not all hosts are members. */
  readonly members?: LoadMembers | undefined;
  /** The ports that clients name of each member, where that is not 2379 alone; the last is served at the end. */
  readonly clientPorts?: readonly number[] | undefined;
}

export interface StageLoad extends Load {
  /** Issues the well-kept clients' certificate anew, and gives them the bundle of now. */
  renewClients(): Promise<void>;
  /** What the clients had at the start. */
  readonly old: MaterialOrder;
  readonly kept: MaterialOrder;
}

/**
 * Starts the load of issue 4: 60 writes a second by clients that keep what they have fresh, 50 over connections that last and 10 by
 * a handshake each; 5 a second by one that trusts for good what the cluster's authority was at the start (its own certificate
 * is read again, as a kube-apiserver does), 5 by one that shows for good the certificate of the start; and a reader. `renewClients`
 * fills {@link keptFolder} where not quorate issues to clients.
 */
export async function loadStage(
  stage: Stage,
  { members, clientPorts, renewClients = () => issueClients(stage) }: LoadWish = {},
): Promise<StageLoad> {
  const kept = keptFolder(stage);
  const old = join(stage.folder, `load-old-${randomUUID().slice(0, 8)}`);
  await renewClients();
  await cp(kept, old, { recursive: true });
  const materials = { kept: materialIn(kept), old: materialIn(old) };
  const load = await startLoad(loadOrder(stage, materials, { members, clientPorts }));
  await removeEmptyGroups();
  await isolate(stage, [load.pid]);
  return { ...load, ...materials, renewClients };
}

async function issueClients(stage: Stage): Promise<void> {
  const run = await stage.quorate(['certs', 'client', 'issue', 'load', '--out', 'load', '--force']);
  if (run.status !== 0) throw new Error(`no certificate for the load:\n${run.stderr}`);
}

function loadOrder(
  stage: Stage,
  { kept, old }: { readonly kept: MaterialOrder; readonly old: MaterialOrder },
  { members, clientPorts = [2379] }: Pick<LoadWish, 'members' | 'clientPorts'>,
): LoadOrder {
  const endpointsOf = (names: readonly string[] | undefined, ports: readonly number[]): readonly Endpoint[] =>
    stage.lab.hosts
      .filter(({ name }) => names?.includes(name) !== false)
      .flatMap(({ name, ipv4 }) => ports.map((port) => ({ name, address: ipv4, port })));
  const writer = (name: string, perSecond: number, material: MaterialOrder): ClientOrder => ({
    ...{ name, perSecond, material, does: 'write', connections: 'fresh' },
  });
  return {
    endpoints: endpointsOf(members?.asked, clientPorts),
    verifyAt: endpointsOf(members?.atEnd, clientPorts.slice(-1)),
    prefix: `/load/${randomUUID()}/`,
    clients: [
      { ...writer('persistent', 50, kept), connections: 'persistent' },
      writer('fresh', 10, kept),
      writer('old-trust', 5, { ...kept, ca: old.ca, keepsCa: true }),
      writer('old-certificate', 5, { ...old, ca: kept.ca, keepsLeaf: true }),
      { ...writer('reader', 20, kept), connections: 'persistent', does: 'read' },
    ],
    verifyWith: kept,
    attemptMs: 2_000,
    boundMs: 5_000,
    lifeMs: 30 * 60_000,
  };
}

/** A client's certificate, key and bundle as `certs client issue load` writes them. */
export function materialIn(folder: string): MaterialOrder {
  const path = (name: string): string => join(folder, name);
  return { ca: path('ca.crt'), cert: path('load.crt'), key: path('load.key'), keepsCa: false, keepsLeaf: false };
}

/** Retries of one client, or of all, added up by cause. */
export function retriesOf({ clients }: PhaseFigures, name?: string): Causes {
  const sum = new Map<string, number>();
  for (const each of clients.filter((client) => name === undefined || client.name === name)) {
    for (const [cause, count] of Object.entries(each.retries)) sum.set(cause, (sum.get(cause) ?? 0) + count);
  }
  return Object.fromEntries([...sum].sort(([, left], [, right]) => right - left));
}

/** Prints rows of Markdown: one for each phase and one for all, as docs/benchmarks.md shows them. */
export function tellFigures(scenario: string, report: LoadReport): void {
  const rows = [...report.phases, report.total].map((each) => rowOf(scenario, each, report));
  console.log([...rows, ...report.failures.slice(0, 5).map((each) => `failed: ${each}`)].join('\n'));
}

function rowOf(scenario: string, phase: PhaseFigures, { store }: LoadReport): string {
  const rate = phase.seconds === 0 ? 0 : Math.round(phase.acknowledged / phase.seconds);
  const retries = Object.entries(retriesOf(phase)).map(([cause, count]) => `${count} × ${cause}`);
  const cells = [scenario, phase.name, `${phase.seconds.toFixed(1)} s`, phase.acknowledged, rate, phase.failed];
  const rest = [
    phase.stale,
    store.lost,
    `${phase.longestGapMs} ms`,
    `${phase.ownPauseMs} ms`,
    retries.join('; ') || 'none',
  ];
  return `| ${[...cells, ...rest].join(' | ')} |`;
}
