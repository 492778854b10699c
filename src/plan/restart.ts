/** restart: every process of now ends, one member after another, and a new one takes its place. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { openGoal, type RestartGoal } from '../domain/goal.ts';
import { configFile, unitFile } from '../domain/layout.ts';
import { compareText, dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { objectToAll } from '../domain/quorum.ts';
import { comparableConfig } from '../domain/run-record.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { votersOf } from '../domain/voters.ts';
import { requireDialled } from './client-ports.ts';
import { convergeStages } from './converge.ts';
import { type DowntimeWish, withDowntime } from './downtime.ts';
import { sha256 } from './hash.ts';
import { chosenMembers, requireData, requireFormed, requireReached } from './live-refusals.ts';
import { rosterOf } from './roster.ts';
import { planBase, type View } from './view.ts';

export interface RestartWish {
  /** Names of controllers; empty: all members. */
  readonly members: readonly string[];
  readonly downtime: DowntimeWish;
}

/**
 * The plan that restarts, or goes on with a restart whose goal is open: the processes that are to end are named in it by their invocations, so that none is
 * ended twice.
 * @throws QuorateError refused, unreachable, usage
 */
export function planRestart(view: View, wish: RestartWish): Plan {
  requireFormed(view);
  requireDialled(view);
  const roster = rosterOf(view);
  const members = chosenMembers(view, wish.members).filter((name) => roster.members.includes(name));
  requireReached(view, members, 'quorate restart -i FILE');
  requireData(
    view,
    roster.wiped.filter((name) => members.includes(name)),
    'quorate restart -i FILE',
  );
  const open = openGoal(view.pki.goals, 'restart');
  const goal = goalOf(view, members);
  requireSameGoal(open, goal);
  const [roll] = convergeStages(view, {
    members,
    parts: [],
    ends: goal.ends,
    title: 'restart one member after another',
  }).filter((each) => each.mode === 'rolling');
  const hosts = (roll?.steps ?? []).map((each) => each.host);
  requireQuorum(view, hosts);
  const set: Draft = {
    kind: 'goal.set',
    host: OPERATOR,
    goal,
    why: 'so that the same command goes on after an interruption',
  };
  const met: Draft = { kind: 'goal.close', host: OPERATOR, goal, why: 'every process that was to end has ended' };
  const plan = dropEmptyStages({
    ...planBase(view, 'restart'),
    stages: [
      stage('goal', 'note what is wanted', 'operator', open === undefined ? [set] : []),
      ...(roll === undefined ? [] : [roll]),
      stage('met', 'the restart is done', 'operator', [met]),
    ],
    reasons: [],
  });
  const warnings = [...plan.warnings, ...hosts.flatMap((name) => sideEffects(view, name))];
  return withDowntime(view, { ...plan, warnings }, wish.downtime);
}

/** Restarts that are left of the goal of `done`. */
export function restartLeft(view: View, wish: RestartWish, done: Plan): Plan {
  const met = done.stages.flatMap((each) => each.steps).find((step) => step.kind === 'goal.close');
  const goals = met === undefined ? view.pki.goals : [{ ...met.goal, since: '', who: '' }];
  const again = planRestart({ ...view, pki: { ...view.pki, goals } }, wish);
  return { ...again, stages: again.stages.filter((each) => each.mode === 'rolling') };
}

/** The open goal where it is for the same members, or else one that ends what runs now. */
function goalOf(view: View, members: readonly string[]): RestartGoal {
  const open = openGoal(view.pki.goals, 'restart');
  if (open !== undefined && Object.keys(open.ends).sort(compareText).join() === members.join()) {
    return { kind: 'restart', ends: open.ends };
  }
  const ends = members.map((name) => [name, runningInvocation(view, name)] as const);
  return { kind: 'restart', ends: Object.fromEntries(ends) };
}

/** '' for a member that does not run: it is started. */
function runningInvocation({ facts }: View, name: string): string {
  const unit = facts.hosts[name]?.unit;
  return unit?.activeState === 'active' || unit?.activeState === 'activating' ? unit.invocationId : '';
}

function requireSameGoal(open: ReturnType<typeof openGoal<'restart'>>, goal: RestartGoal): void {
  if (open === undefined || open.ends === goal.ends) return;
  const members = Object.keys(open.ends).sort(compareText);
  throw new QuorateError(
    'refused',
    `a restart of ${members.join(', ')} is open, begun by ${open.who}, ${open.since}, and this is another one`,
    { hint: `finish it first: quorate restart -i FILE --member ${members.join(' ')}` },
  );
}

/** With a member down that may not come back, no other is touched where the rest could not serve alone. */
function requireQuorum(view: View, hosts: readonly string[]): void {
  const voters = votersOf(view.cluster, view.facts);
  const broken = voters.filter((each) => !each.healthy).map((each) => each.name);
  if (voters.length <= 2 || broken.length === 0) return;
  for (const member of hosts) {
    const objection = objectToAll(voters, [{ kind: 'stop', member, allowDowntime: false }]);
    if (objection === undefined) continue;
    throw new QuorateError('refused', `${objection} (${broken.join(', ')}: does not serve)`, {
      host: member,
      hint: `bring ${broken.join(', ')} back first: quorate restart -i FILE --member ${broken[0]} restarts it alone; quorate doctor -i FILE tells more`,
    });
  }
}

/** What lies on disk and was not read yet comes into force with any restart. */
function sideEffects({ facts, cluster }: View, name: string): readonly string[] {
  const { run, texts = {} } = facts.hosts[name] ?? {};
  if (run === undefined) return [];
  const [config, unit] = [texts[configFile(cluster)], texts[unitFile(cluster)]];
  const changed = [
    ...(config !== undefined && sha256(comparableConfig(config)) !== run.configSha256 ? ['configuration'] : []),
    ...(unit !== undefined && sha256(unit) !== run.unitSha256 ? ['unit'] : []),
  ];
  if (changed.length === 0) return [];
  return [
    `${name}: its ${changed.join(' and its ')} on disk is not what it runs with: the restart brings that into force`,
  ];
}
