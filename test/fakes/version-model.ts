/** What versions of etcd make of a cluster, as far as upgrades can go wrong by them: which binary starts on what, and what of 3.5 lies in the raft log. */
import { QuorateError } from '../../src/domain/errors.ts';
import type { HostFacts } from '../../src/domain/facts.ts';
import type { Step } from '../../src/domain/step.ts';
import { compareVersions, type Minor, minorOf, minors } from '../../src/domain/version.ts';
import type { VersionAnswer } from '../../src/etcd/ask.ts';

/** A start that ended in a crash. */
export interface Crash {
  readonly host: string;
  readonly version: string;
  readonly reason: string;
}

export interface VersionModel {
  readonly crashes: readonly Crash[];
  /** Snapshots that were saved, by the version that ran. */
  readonly snapshots: readonly string[];
  running(host: string): string | undefined;
  clusterVersion(): Minor | undefined;
  downgradesTo(): Minor | undefined;
  /** Whether the log's files hold requests of the v2 store. */
  v2Log(host: string): boolean;
  /** The process of a host starts; whether it stays. */
  start(host: string, version: string, config: string): boolean;
  /** A step of the operator; whether it was one of these. */
  perform(step: Step): boolean;
  answers(members: readonly string[]): Readonly<Record<string, VersionAnswer>>;
}

export function createVersionModel(names: readonly string[]): VersionModel {
  const running = new Map<string, string>();
  const crashes: Crash[] = [];
  const snapshots: string[] = [];
  /** Members whose log has requests of 3.5, and those in which they lie behind the last raft snapshot. */
  const ever = new Set<string>();
  const behind = new Set<string>();
  const often = new Set<string>();
  let clusterMinor: Minor | undefined;
  let downgradesTo: Minor | undefined;
  const index = (minor: Minor): number => minors.indexOf(minor);
  const settle = (): void => {
    const all = names.map((name) => running.get(name));
    if (all.some((each) => each === undefined)) return;
    const lowest = all.map((each) => minorOf(each ?? '')).toSorted((a, b) => index(a) - index(b))[0];
    if (downgradesTo !== undefined) {
      if (all.every((each) => minorOf(each ?? '') === downgradesTo)) downgradesTo = undefined;
      return;
    }
    if (lowest !== undefined && (clusterMinor === undefined || index(lowest) > index(clusterMinor)))
      clusterMinor = lowest;
  };
  const objection = (host: string, minor: Minor): string | undefined => {
    if (clusterMinor !== undefined && index(minor) < index(clusterMinor)) return 'invalid downgrade';
    if (clusterMinor !== undefined && index(minor) > index(clusterMinor) + 1) return 'incompatible with the cluster';
    if (minor === '3.7' && behind.has(host)) return 'unmarshal should never fail';
    return undefined;
  };
  const checkAll = (good: (version: string) => boolean, what: string): void => {
    const bad = names.filter((name) => !good(running.get(name) ?? '0.0.0'));
    if (bad.length > 0) throw new QuorateError('step-failed', `${bad.join()}: ${what}`);
  };
  const steps: { readonly [K in Step['kind']]?: (step: Step<K>) => void } = {
    'snapshot.save': ({ version }) => {
      snapshots.push(version);
    },
    'version.check': ({ from, to }) => {
      const [low = '', high = ''] = [from, to].toSorted(compareVersions);
      checkAll(
        (each) => compareVersions(each, low) >= 0 && compareVersions(each, high) <= 0,
        `not between ${from} and ${to}`,
      );
      if (compareVersions(from, to) < 0 && !snapshots.includes(from)) throw new Error('a hop without a snapshot');
    },
    'version.await': ({ version }) => {
      settle();
      checkAll((each) => each === version, `does not run ${version}`);
      if (clusterMinor !== minorOf(version)) throw new QuorateError('step-failed', `the cluster is ${clusterMinor}`);
    },
    'raft.snapshot': ({ members }) => {
      checkAll((each) => compareVersions(each, '3.6.0') >= 0, 'writes requests of 3.5 still');
      for (const each of members) {
        if (!often.has(each)) throw new QuorateError('step-failed', `${each}: writes no raft snapshot`);
        behind.delete(each);
      }
    },
    'downgrade.enable': ({ minor }) => {
      const wanted = minors.find((each) => each === minor);
      if (wanted === undefined || clusterMinor === undefined) throw new Error(`downgrade to ${minor}`);
      if (clusterMinor === wanted) return;
      if (index(clusterMinor) !== index(wanted) + 1)
        throw new QuorateError('step-failed', 'invalid downgrade target version');
      [clusterMinor, downgradesTo] = [wanted, wanted];
    },
    'downgrade.cancel': () => {
      downgradesTo = undefined;
      settle();
    },
  };
  const performRow = <K extends Step['kind']>(step: Step<K>): boolean => {
    const row = steps[step.kind];
    row?.(step);
    return row !== undefined;
  };
  return {
    crashes,
    snapshots,
    running: (host) => running.get(host),
    clusterVersion: () => clusterMinor,
    downgradesTo: () => downgradesTo,
    v2Log: (host) => ever.has(host),
    start: (host, version, config) => {
      const minor = minorOf(version);
      const reason = objection(host, minor);
      if (reason !== undefined) {
        crashes.push({ host, version, reason });
        running.delete(host);
        return false;
      }
      running.set(host, version);
      if (index(minor) < index('3.6')) {
        for (const each of names) {
          ever.add(each);
          behind.add(each);
        }
      }
      if (/^snapshot-count: 100$/m.test(config)) often.add(host);
      else often.delete(host);
      settle();
      return true;
    },
    perform: (step) => performRow(step),
    answers: (members) =>
      Object.fromEntries(
        members.flatMap((name) => {
          const server = running.get(name);
          return server === undefined ? [] : [[name, { server, cluster: `${clusterMinor}.0`, ready: true }]];
        }),
      ),
  };
}

/** The version that the links of a host start; `otherwise` where they lead to no folder that is named by one (a distribution's own binaries). */
export function linkedVersion(host: HostFacts, binDir: string, otherwise: string): string {
  const link = host.files[`${binDir}/etcd`];
  const folder = link?.kind === 'link' ? link.target.split('/').at(-2) : undefined;
  return folder !== undefined && /^\d+\.\d+\.\d+$/.test(folder) ? folder : otherwise;
}
