/** The stages of one hop from a version of etcd to the next, and of what has to come before one. Pure. */
import { dropEmptyStages, type Stage, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { knownMinor, minorOf } from '../domain/version.ts';
import type { Hop } from '../domain/version-path.ts';
import { convergeStages } from './converge.ts';
import { foresee } from './foresee.ts';
import { planBase, type View } from './view.ts';

/** Entries between two raft snapshots while the log is to be left behind: few enough to be written at once, many enough for a busy cluster. */
const DISARMING = { 'snapshot-count': 100 } as const;

/** Stages, and the hosts as they will be after them. */
export interface Foreseen {
  readonly stages: readonly Stage[];
  readonly view: View;
}

/** How a hop is told and begun. */
export interface HopWish {
  readonly members: readonly string[];
  readonly way: 'up' | 'down';
  /** Why the raft log has to be left behind before 3.7; undefined: it has not. */
  readonly trap: string | undefined;
  /** Whether the release of 3.6 is passed on the way to 3.7: its configuration prepares for that. */
  readonly passes: boolean;
}

/** Everything of one hop: the snapshot, its checks, what disarms the log, the roll, and the wait for the cluster's version. */
export function hopStages(view: View, hop: Hop, wish: HopWish): Foreseen {
  const { from, to } = hop;
  const before: readonly Draft[] = [
    { kind: 'snapshot.save', host: OPERATOR, version: from, why: 'before anything is changed' },
    { kind: 'version.check', host: OPERATOR, from, to, why: 'a hop begins with a sound cluster' },
    ...(wish.way === 'down' && hop.changesMinor
      ? [
          {
            kind: 'downgrade.enable',
            host: OPERATOR,
            minor: minorOf(to),
            why: `data must have the form of ${minorOf(to)} before its binary starts`,
          } as const,
        ]
      : []),
  ];
  const first = stage(`${to}-check`, `${from} → ${to}: snapshot and checks`, 'operator', before);
  const disarmed = disarmStages(view, hop, wish);
  const rolled = rollStages(disarmed.view, hop, wish);
  const wait = { kind: 'version.await', host: OPERATOR, version: to, why: waitReason(hop) } as const;
  const last = stage(`${to}-await`, `${from} → ${to}: the cluster's own version`, 'operator', [wait]);
  return { stages: [first, ...disarmed.stages, ...rolled.stages, last], view: rolled.view };
}

/** The view of another version; with `disarming`, of that with raft snapshots often. */
function viewAt(view: View, version: string, disarming: boolean): View {
  if (view.atVersion === undefined) throw new Error('this view knows no other version');
  return { ...view, ...view.atVersion(version, disarming ? DISARMING : {}) };
}

function rollStages(view: View, hop: Hop, { members, way, trap, passes }: HopWish): Foreseen {
  const { from, to } = hop;
  const wanted = viewAt(view, to, trap !== undefined && passes && minorOf(to) === '3.6');
  const title = `${from} → ${to}, one member after another${pointOfNoReturn(hop, way)}`;
  const stages = withVersion(
    filled(view, convergeStages(wanted, { members, parts: ['config', 'units', 'version'], name: to, title })),
    to,
  );
  return {
    stages,
    view: versionsForeseen(
      { ...foresee(wanted, stages), cluster: view.cluster, desired: view.desired, checksums: view.checksums },
      to,
    ),
  };
}

/**
 * 3.7 does not start where the raft log behind a member's last raft snapshot holds what 3.5 wrote (reference/etcd-operations.md, section 5: the WAL-tail trap).
 * Members on 3.6 are brought to a small snapshot-count, and then writes make each of them leave that behind.
 */
function disarmStages(view: View, { from, to }: Hop, { members, trap }: HopWish): Foreseen {
  if (trap === undefined || minorOf(to) !== '3.7') return { stages: [], view };
  const old = members.filter((name) => knownMinor(view.facts.endpoints[name]?.version ?? from) === '3.6');
  if (old.length === 0) return { stages: [], view };
  const wanted = viewAt(view, from, true);
  const title = `etcd ${from} is to write raft snapshots often: ${trap}`;
  const stages = withVersion(
    filled(view, convergeStages(wanted, { members: old, parts: ['config'], name: `${to}-disarm`, title })),
    from,
  );
  const force = { kind: 'raft.snapshot', host: OPERATOR, members: old, why: trap } as const;
  const last = stage(`${to}-log`, 'leave behind what etcd 3.7 does not start with', 'operator', [force]);
  const after = foresee(wanted, stages);
  return {
    stages: [...stages, last],
    view: { ...after, cluster: view.cluster, desired: view.desired, checksums: view.checksums },
  };
}

function filled(view: View, stages: readonly Stage[]): readonly Stage[] {
  return dropEmptyStages({ ...planBase(view, ''), stages, reasons: [] }).stages;
}

/** The gate of each restart is that of a change of version. */
function withVersion(stages: readonly Stage[], version: string): readonly Stage[] {
  return stages.map((each) => ({
    ...each,
    steps: each.steps.map((step) => (step.kind === 'unit.restart' ? { ...step, version } : step)),
  }));
}

function versionsForeseen(view: View, version: string): View {
  const all = Object.entries(view.facts.endpoints).map(([name, each]) => [name, { ...each, version }] as const);
  return { ...view, facts: { ...view.facts, endpoints: Object.fromEntries(all) } };
}

function pointOfNoReturn({ from, to, changesMinor }: Hop, way: 'up' | 'down'): string {
  if (!changesMinor || way === 'down') return '';
  return `; POINT OF NO RETURN at the last one: the cluster's own version becomes ${minorOf(to)}, and etcd ${from} starts on it no more`;
}

function waitReason({ to, changesMinor }: Hop): string {
  return changesMinor ? `etcd takes ${minorOf(to)} once the last member runs it` : 'every member is to run it';
}
