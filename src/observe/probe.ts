/** Runs the probe on every host at once. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { hostsOf } from '../domain/membership.ts';
import type { Connection } from '../transport/transport.ts';
import { parseProbe } from './parse-probe.ts';
import { probeScript, type V2LogWish } from './probe-script.ts';

export interface ProbeOptions {
  /** Files whose hash and text are wanted besides the usual ones, by controller name. */
  readonly texts?: ((host: string) => readonly string[]) | undefined;
  /** Where the raft log's files are read for requests of the v2 store; undefined: nowhere. */
  readonly v2Log?: V2LogWish | undefined;
  /** For one host; default 30 s, because a disk or a busy systemd may be slow. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What a probe of these very files that ran at the end of another script printed; without it hosts are probed. */
  readonly looked?: ((host: string) => Promise<string>) | undefined;
  /** The operator's clock, epoch milliseconds. */
  readonly now: () => number;
}

/** By controller name. A host is in `hosts`, or it is in `unreachable` and its error in `failures`. */
export interface ObservedHosts {
  readonly hosts: Readonly<Record<string, HostFacts>>;
  readonly unreachable: Readonly<Record<string, string>>;
  readonly failures: readonly QuorateError[];
}

/** Probes every connection whose host is a controller of `cluster`; a host that fails does not stop the others. Never throws for a host. */
export async function observeHosts(
  connections: Iterable<Connection>,
  cluster: Cluster,
  options: ProbeOptions,
): Promise<ObservedHosts> {
  const list = [...connections];
  const outcomes = await Promise.allSettled(list.map((each) => observeHost(each, cluster, options)));
  const hosts: Record<string, HostFacts> = {};
  const unreachable: Record<string, string> = {};
  const failures: QuorateError[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const host = list[index]?.host ?? '';
    if (outcome.status === 'fulfilled') {
      hosts[host] = outcome.value;
    } else {
      if (!(outcome.reason instanceof QuorateError)) throw outcome.reason;
      unreachable[host] = outcome.reason.message;
      failures.push(outcome.reason);
    }
  }
  return { hosts, unreachable, failures };
}

/**
 * Facts of one host. Throws QuorateError: the connection's own, `refused` where base64 is missing, `step-failed` where the
 * answer is not understood twice (once may be a file that changed while it was read).
 */
async function observeHost(connection: Connection, cluster: Cluster, options: ProbeOptions): Promise<HostFacts> {
  const controller = hostsOf(cluster).find((each) => each.name === connection.host);
  if (controller === undefined) throw new Error(`${connection.host} is no controller of ${cluster.name}`);
  const script = probeScript(cluster, controller, { texts: options.texts?.(connection.host), v2Log: options.v2Log });
  const given = await options.looked?.(connection.host);
  try {
    if (given !== undefined)
      return parseProbe(given, { host: connection.host, sentAt: undefined, receivedAt: options.now() });
    return await probeOnce(connection, script, options);
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'step-failed') throw error;
    return await probeOnce(connection, script, options);
  }
}

async function probeOnce(connection: Connection, script: string, options: ProbeOptions): Promise<HostFacts> {
  const sentAt = options.now();
  const { stdout, stderr } = await connection.run(
    { script, root: true, label: 'looking at the host' },
    { timeoutMs: options.timeoutMs ?? 30_000, signal: options.signal },
  );
  try {
    return parseProbe(stdout, { host: connection.host, sentAt, receivedAt: options.now() });
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    const { code, message, host, hint } = error;
    throw new QuorateError(code, message, { host, hint, cause: error, detail: stderr.slice(0, 4000) });
  }
}
