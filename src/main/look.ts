/** Looks at hosts and endpoints, all of them or some again. */
import type { Cluster } from '../domain/cluster.ts';
import type { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { hostsOf } from '../domain/membership.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { observeEndpoints } from '../observe/endpoints.ts';
import { observeHosts } from '../observe/probe.ts';
import { type ProbeWish, probeScript, type V2LogWish } from '../observe/probe-script.ts';
import type { HostFiles } from '../plan/view.ts';
import type { Transports } from '../transport/open.ts';

export interface LookInput {
  readonly cluster: Cluster;
  readonly desired: Readonly<Record<string, HostFiles>>;
  readonly transports: Transports;
  /** The operator's certificate, asked for behind the hosts' probes; undefined: endpoints are not asked. */
  readonly credentials: () => Promise<TlsMaterial | undefined>;
  readonly now: () => number;
  /** Where {@link lookAtAll} reads the raft logs too. */
  readonly v2Log?: V2LogWish | undefined;
  /** What a probe that ran elsewhere printed of a host, for {@link lookAtAll}; without it hosts are probed. */
  readonly looked?: ((host: string) => Promise<string>) | undefined;
}

/** Everything, anew. A host that cannot be reached is a fact, and a failure. */
export async function lookAtAll(
  input: LookInput,
): Promise<{ readonly facts: Facts; readonly failures: readonly QuorateError[] }> {
  const { cluster, transports, now } = input;
  const connections = [...transports.connections.values()];
  const texts = (host: string): readonly string[] => probedTexts(input.desired, host);
  const observed = await observeHosts(connections, cluster, { texts, now, v2Log: input.v2Log, looked: input.looked });
  const unconnected = Object.fromEntries(
    transports.failures.flatMap((each) => (each.host === undefined ? [] : [[each.host, each.message] as const])),
  );
  const credentials = await input.credentials();
  const endpoints = await observeEndpoints(connections, cluster, observed.hosts, { credentials });
  const unreachable = { ...unconnected, ...observed.unreachable };
  return { facts: { observedAt: now(), hosts: observed.hosts, endpoints, unreachable }, failures: observed.failures };
}

/** Probes `names` again and asks every endpoint again; what was known of other hosts stays. */
export async function lookAgain(input: LookInput, facts: Facts, names: readonly string[]): Promise<Facts> {
  const { cluster, transports, now } = input;
  const connections = [...transports.connections.values()];
  const asked = connections.filter((each) => names.includes(each.host));
  const observed = await observeHosts(asked, cluster, { texts: (host) => probedTexts(input.desired, host), now });
  const hosts = { ...without(facts.hosts, names), ...observed.hosts };
  const endpoints = await observeEndpoints(connections, cluster, hosts, { credentials: await input.credentials() });
  const gone = names.filter((name) => facts.unreachable[name] !== undefined && !transports.connections.has(name));
  const still = Object.fromEntries(gone.map((name) => [name, facts.unreachable[name] ?? '']));
  const unreachable = { ...without(facts.unreachable, names), ...still, ...observed.unreachable };
  return { observedAt: now(), hosts, endpoints, unreachable };
}

/** The probe of one host for the end of another script. @throws Error where the inventory lacks it */
export function hostProbe(
  { cluster, desired }: Pick<LookInput, 'cluster' | 'desired'>,
  host: string,
  wish: Omit<ProbeWish, 'texts'> = {},
): string {
  const controller = hostsOf(cluster).find((each) => each.name === host);
  if (controller === undefined) throw new Error(`${host} is no controller`);
  return probeScript(cluster, controller, { ...wish, texts: probedTexts(desired, host) });
}

/** Files whose hash and text planning compares, besides those that every probe looks at. */
function probedTexts(desired: Readonly<Record<string, HostFiles>>, host: string): readonly string[] {
  return (desired[host]?.files ?? []).map((each) => each.path);
}

function without<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}
