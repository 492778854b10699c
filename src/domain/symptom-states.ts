/** Symptoms that states show: what was observed of hosts, units and etcd, without any log. */
import { aheadOfMedian, CLOCK_WARN_MS, wordOffset } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { databaseSigns } from './database-use.ts';
import type { EndpointFacts, Facts, HostFacts } from './facts.ts';
import type { Sign } from './finding.ts';
import { hazardsOf } from './hazards.ts';
import type { ClusterHealth } from './health.ts';
import { memberSigns } from './member-signs.ts';
import type { MetricsFacts } from './metrics.ts';
import type { SymptomId } from './symptoms.ts';

export interface StateInput {
  readonly cluster: Cluster;
  readonly facts: Facts;
  readonly health: ClusterHealth;
  readonly metrics: MetricsFacts;
  /** As computed from the token; undefined where the store knows none. */
  readonly clusterId: string | undefined;
}

/** All signs, hosts in the inventory's order. */
export function stateSigns(input: StateInput): readonly Sign[] {
  const { cluster, facts } = input;
  const hosts = Object.values(facts.hosts);
  return [
    ...Object.entries(facts.unreachable).map(([host, text]) => sign('host-unreachable', host, text)),
    ...memberSigns(input),
    ...cluster.controllers.flatMap(({ name }) => {
      const host = facts.hosts[name];
      return host === undefined ? [] : hostSigns(input, host, hosts);
    }),
    ...databaseSigns(facts, input.metrics),
    ...versionSigns(facts),
  ];
}

/** A sign of a symptom. */
function sign(id: SymptomId, host: string, text: string): Sign {
  return { id, host, text };
}

function hostSigns(input: StateInput, host: HostFacts, hosts: readonly HostFacts[]): readonly Sign[] {
  return [
    ...unitSigns(input, host),
    ...dataSigns(input.cluster, host),
    ...diskSigns(input, host),
    ...portSigns(input.cluster, host),
    ...clockSigns(host, hosts),
    ...host.ignoredDefaults.map((path) => sign('defaults-ignored', host.host, path)),
    ...lockSigns(host),
  ];
}

function unitSigns({ cluster, facts }: StateInput, { host, unit }: HostFacts): readonly Sign[] {
  const name = cluster.unit;
  const reload = unit.needsDaemonReload ? [sign('unit-reload', host, `${name} needs daemon-reload`)] : [];
  if (unit.loadState !== 'loaded') return [sign('unit-missing', host, `${name} is ${unit.loadState}`)];
  const last = unit.lastExit === '' ? '' : `, last: ${unit.lastExit}`;
  switch (unit.activeState) {
    case 'active':
      return reload;
    case 'inactive':
      return [sign('unit-stopped', host, `${name} is inactive${last}`), ...reload];
    case 'activating': {
      const waits = unit.subState === 'start' && facts.endpoints[host]?.failure !== undefined && unit.mainPid !== 0;
      if (waits && unit.restarts === 0) return [sign('unit-waiting', host, `${name} is starting`), ...reload];
      return [sign('unit-failing', host, `${name} was restarted ${unit.restarts} times${last}`), ...reload];
    }
    default:
      return [sign('unit-failing', host, `${name} is ${unit.activeState} (${unit.subState})${last}`), ...reload];
  }
}

function dataSigns({ paths }: Cluster, { host, root, data, unit, records }: HostFacts): readonly Sign[] {
  if (!root || data.wal) return [];
  if (unit.activeState === 'active') return [sign('data-gone', host, `${paths.dataDir} holds no WAL`)];
  if (records.marker === undefined) return [];
  const since = records.marker.healthyAt;
  return [
    sign('member-wiped', host, `its cluster has been healthy (since ${since}), and ${paths.dataDir} holds no WAL`),
  ];
}

/** Below this etcd may be unable to make its next WAL segment (64 MB) beside a snapshot. */
const FULL_BYTES = 128e6;

function diskSigns({ cluster, metrics }: StateInput, { host, disk, readOnlyPaths }: HostFacts): readonly Sign[] {
  const { dataDir } = cluster.paths;
  const syncMs = metrics[host]?.walSync99Ms;
  const files = metrics[host];
  return [
    ...(disk.freeBytes < FULL_BYTES
      ? [sign('disk-full', host, `${Math.round(disk.freeBytes / 1e6)} MB are free for ${dataDir}`)]
      : []),
    ...(disk.freeInodes < 100 ? [sign('disk-full', host, `${disk.freeInodes} inodes are free for ${dataDir}`)] : []),
    ...(readOnlyPaths.includes(dataDir) ? [sign('disk-failing', host, `${dataDir} is read-only`)] : []),
    ...(syncMs !== undefined && syncMs > SLOW_SYNC_MS
      ? [sign('slow-disk', host, `1 % of the WAL's syncs took more than ${syncMs / 2} ms since the process started`)]
      : []),
    ...(files?.openFiles !== undefined && files.maxFiles !== undefined && files.openFiles > 0.9 * files.maxFiles
      ? [sign('file-limit', host, `${files.openFiles} of ${files.maxFiles} files are open`)]
      : []),
  ];
}

/** etcd's guide wants 10 ms for 99 % of the syncs (op-guide/hardware); its buckets double, and a shared disk is not yet a sick one. */
const SLOW_SYNC_MS = 128;

function portSigns(cluster: Cluster, host: HostFacts): readonly Sign[] {
  const foreign = host.processes.filter((each) => each.unit !== cluster.unit);
  const strangers = foreign.map((each) =>
    sign(
      'foreign-etcd',
      host.host,
      `${each.executable || 'etcd'} (pid ${each.pid})${each.unit === '' ? '' : ` in ${each.unit}`}`,
    ),
  );
  if (host.unit.activeState === 'active') return strangers;
  const taken = host.listeners.filter((each) => each.pid !== 0 && each.pid !== host.unit.mainPid);
  return [
    ...strangers,
    ...taken.map(({ port, process, pid, address }) =>
      sign('port-taken', host.host, `port ${port} on ${address} is held by ${process} (pid ${pid})`),
    ),
  ];
}

function clockSigns(host: HostFacts, hosts: readonly HostFacts[]): readonly Sign[] {
  const offset = aheadOfMedian(host, hosts);
  if (Math.abs(offset) <= CLOCK_WARN_MS) return [];
  return [sign('clock-skew', host.host, `its clock is ${wordOffset(offset)} the median`)];
}

function lockSigns({ host, records: { lock } }: HostFacts): readonly Sign[] {
  if (lock === undefined || lock.holderAlive || lock.scripts.length > 0) return [];
  return [sign('lock-left', host, `locked by ${lock.owner} since ${lock.since} (${lock.command})`)];
}

function versionSigns({ endpoints }: Facts): readonly Sign[] {
  const answers = Object.values(endpoints).filter((each: EndpointFacts) => each.failure === undefined);
  return answers.flatMap(({ host, version }) =>
    hazardsOf(version).map(({ id, reason }) => sign('version-hazard', host, `etcd ${version}: ${reason} (${id})`)),
  );
}
