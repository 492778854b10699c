/** Upgrades: one minor at a time over all members, as many hops as it takes in one plan, and the goal that lets a killed run go on. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { type OpenGoal, openGoal, sameGoal, type VersionGoal } from '../domain/goal.ts';
import { requireSafeVersion } from '../domain/hazards.ts';
import { memberList } from '../domain/health.ts';
import { versionLinked } from '../domain/layout.ts';
import { hostOf } from '../domain/membership.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { compareVersions, knownMinor } from '../domain/version.ts';
import { downgradePath, type Hop, upgradePath } from '../domain/version-path.ts';
import { requireSettled } from './moves.ts';
import { requireObtainable } from './obtainable.ts';
import { hopStages } from './version-stages.ts';
import { planBase, type View } from './view.ts';

export interface VersionWish {
  readonly way: 'up' | 'down';
  /** undefined: that of the goal that is open, else the inventory's. */
  readonly to: string | undefined;
  readonly via: readonly string[];
  /** Takes a downgrade back that is open, to what ran before. */
  readonly abort: boolean;
  /** IDs of hazards. */
  readonly accepted: readonly string[];
  readonly allowDowntime: boolean;
}

/**
 * The plan that brings every member to a version. Empty, with reasons, where they run it.
 * @throws QuorateError refused: what etcd does not support, a dangerous release, a cluster that is not sound; usage
 */
export function planVersion(view: View, wish: VersionWish): Plan {
  const open = openGoal(view.pki.goals, 'version');
  const { way, to, via } = targetOf(view, wish, open);
  const members = view.cluster.controllers.map((each) => each.name);
  const running = runningVersions(view, members, open !== undefined);
  const hops = (way === 'up' ? upgradePath : downgradePath)(Object.values(running), { to, via });
  const warnings = hops.flatMap((hop) => requireSafeVersion(hop.to, wish.accepted));
  requireObtainable(view, hops);
  const from = oneOf(Object.values(running), way);
  const goal: VersionGoal = { kind: 'version', way, to, via, from: open?.from ?? from };
  const trap = way === 'up' ? trapOf(view, running, hops) : undefined;
  return dropEmptyStages({
    ...planBase(view, way === 'up' ? 'upgrade' : 'downgrade'),
    warnings: [...view.cluster.warnings, ...warnings, ...(trap === undefined ? [] : [trapWarning(trap)])],
    stages: [
      stage('goal', 'what is wanted', 'operator', beginning({ open, goal, hops, abort: wish.abort })),
      ...allHops(view, hops, { members, way, trap }),
      stage('met', 'what is wanted is reached', 'operator', ending({ open, goal, hops })),
    ],
    reasons: hops.length === 0 && open === undefined ? reasonsOf(members, running) : [],
    permits: { downtime: wish.allowDowntime },
  });
}

/** Steps that a run has left undone; empty once its version runs everywhere. */
export function versionLeft(view: View, wish: VersionWish, done: Plan): Plan {
  const goal = done.stages.flatMap((each) => each.steps).find((step) => step.kind === 'goal.close')?.goal;
  const target = goal?.kind === 'version' ? { way: goal.way, to: goal.to, via: goal.via } : {};
  return planVersion(view, { ...wish, abort: false, ...target });
}

interface Target {
  readonly way: 'up' | 'down';
  readonly to: string;
  readonly via: readonly string[];
}

function targetOf({ cluster }: View, wish: VersionWish, open: OpenGoalOf | undefined): Target {
  if (wish.abort) {
    // A run that takes it back has an upgrade as its goal, and goes on with the same command.
    const to = open?.way === 'down' ? open.from : open?.to;
    if (open !== undefined && to !== undefined)
      return { way: 'up', to, via: [...wish.via, ...without(open.via, wish.via)] };
    throw new QuorateError('usage', 'downgrade --abort: no downgrade is open', {
      hint: 'quorate upgrade --to VERSION goes up',
    });
  }
  if (open?.way === 'down' && wish.way === 'up') {
    throw new QuorateError('refused', `a downgrade to ${open.to} is open, begun by ${open.who}, ${open.since}`, {
      hint: `finish it (quorate downgrade --to ${open.to}) or take it back (quorate downgrade --abort)`,
    });
  }
  const own = open?.way === wish.way ? open : undefined;
  const to = wish.to ?? own?.to ?? cluster.version;
  return { way: wish.way, to, via: wish.via.length > 0 || own?.to !== to ? wish.via : own.via };
}

type OpenGoalOf = Extract<OpenGoal, { readonly kind: 'version' }>;

/** The first ones where they are of other minors than the second ones. */
function without(versions: readonly string[], others: readonly string[]): readonly string[] {
  return versions.filter((each) => !others.some((other) => knownMinor(other) === knownMinor(each)));
}

/**
 * What each member runs. One that does not answer is taken for what its link says, in a run that goes on: its turn may have been what went wrong.
 * @throws QuorateError refused: members that are down or that nobody knows
 */
function runningVersions(view: View, members: readonly string[], goesOn: boolean): Readonly<Record<string, string>> {
  const { cluster, facts } = view;
  requireSettled(view, members);
  const strangers = memberList(facts).filter((each) => hostOf(cluster, facts, each) === undefined);
  const [stranger] = strangers;
  if (stranger !== undefined) {
    throw new QuorateError(
      'refused',
      `member ${stranger.name || stranger.id} is not in the inventory: it would keep its version`,
      {
        hint: 'list it under controllers, or remove it first: quorate member remove NAME -i FILE',
      },
    );
  }
  const all = members.map((name) => {
    const endpoint = facts.endpoints[name];
    const answers = endpoint !== undefined && endpoint.failure === undefined;
    const linked = goesOn ? versionLinked(cluster, facts.hosts[name]) : '';
    const version = answers ? endpoint.version : linked;
    if (knownMinor(version) !== undefined) return [name, version] as const;
    const reason = endpoint?.failure ?? facts.unreachable[name] ?? 'its endpoint was not asked';
    throw new QuorateError(
      'refused',
      `${name}: its version is not known (${reason}), and every member must be well before a version changes`,
      {
        host: name,
        hint: 'bring it back first: quorate status -i FILE',
      },
    );
  });
  return Object.fromEntries(all);
}

function oneOf(versions: readonly string[], way: 'up' | 'down'): string {
  const sorted = versions.toSorted(compareVersions);
  return (way === 'up' ? sorted[0] : sorted.at(-1)) ?? '';
}

/** Why 3.7 may not start where it is on the way; undefined: nothing of 3.5 can be in the raft log. */
function trapOf({ facts }: View, running: Readonly<Record<string, string>>, hops: readonly Hop[]): string | undefined {
  if (!hops.some((each) => each.changesMinor && knownMinor(each.to) === '3.7')) return undefined;
  const older = Object.entries(running).find(([, version]) => compareVersions(version, '3.6.0') < 0);
  if (older !== undefined) return `etcd ${older[1]} writes requests into the raft log that 3.7 cannot read`;
  const logs = Object.keys(running).filter((name) => knownMinor(running[name] ?? '') === '3.6');
  const found = logs.find((name) => facts.hosts[name]?.v2Log !== false);
  if (found === undefined) return undefined;
  return facts.hosts[found]?.v2Log === true
    ? `the raft log of ${found} holds requests of 3.5 or older, which 3.7 cannot read`
    : `nothing tells whether the raft log of ${found} holds requests of 3.5, which 3.7 cannot read`;
}

function trapWarning(trap: string): string {
  return `${trap}, and would crash on at its start where they lie behind the last raft snapshot: members are made to leave them behind, and that is proved, before 3.7 starts anywhere`;
}

/** Cancelling comes first: a run that goes on knows by the goal that there was something to cancel. */
function beginning(given: {
  readonly open: OpenGoalOf | undefined;
  readonly goal: VersionGoal;
  readonly hops: readonly Hop[];
  readonly abort: boolean;
}): readonly Draft[] {
  const { open, goal, hops, abort } = given;
  if (open === undefined && hops.length === 0) return [];
  const replaced = open !== undefined && !sameGoal(open, goal);
  const cancel: readonly Draft[] =
    abort && open?.way === 'down'
      ? [{ kind: 'downgrade.cancel', host: OPERATOR, why: 'the downgrade is taken back' }]
      : [];
  if (open !== undefined && !replaced) return cancel;
  const why = replaced ? `instead of ${open.to}` : 'a run that is interrupted goes on with the same command';
  const set: Draft = { kind: 'goal.set', host: OPERATOR, goal, ...(replaced ? { replaces: bare(open) } : {}), why };
  return [...cancel, set];
}

/** Where a run was killed behind its last turn, the cluster's own version may still have to follow. */
function ending(given: {
  readonly open: OpenGoalOf | undefined;
  readonly goal: VersionGoal;
  readonly hops: readonly Hop[];
}): readonly Draft[] {
  const { open, goal, hops } = given;
  if (open === undefined && hops.length === 0) return [];
  const wait: readonly Draft[] =
    hops.length > 0
      ? []
      : [{ kind: 'version.await', host: OPERATOR, version: goal.to, why: 'a run ended before it was seen' }];
  return [...wait, { kind: 'goal.close', host: OPERATOR, goal, why: 'every member runs it' }];
}

function bare({ kind, way, to, via, from }: VersionGoal): VersionGoal {
  return { kind, way, to, via, from };
}

function allHops(
  view: View,
  hops: readonly Hop[],
  {
    members,
    way,
    trap,
  }: { readonly members: readonly string[]; readonly way: 'up' | 'down'; readonly trap: string | undefined },
): readonly Stage[] {
  const stages: Stage[] = [];
  let seen = view;
  for (const [index, hop] of hops.entries()) {
    const made = hopStages(seen, hop, { members, way, trap, passes: index < hops.length - 1 });
    stages.push(...made.stages);
    seen = made.view;
  }
  return stages;
}

function reasonsOf(members: readonly string[], running: Readonly<Record<string, string>>): readonly Reason[] {
  return members.map((host) => ({ host, reason: `etcd ${running[host]} runs` }));
}
