/** certs rotate: new certificates for members, by way of a new generation each; all of them, some, or those that are due. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { currentGeneration } from '../domain/generation.ts';
import { openGoal, type RotateGoal } from '../domain/goal.ts';
import { compareText, dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { type Draft, type LeafPurpose, leafPurposes, OPERATOR } from '../domain/step.ts';
import { adminRenewal } from './admin-renewal.ts';
import {
  type GenerationTurn,
  generationDrafts,
  generationsDirectory,
  nextTurn,
  pruneDrafts,
  renewingTurn,
} from './generation.ts';
import { livesOf } from './generation-wish.ts';
import { neededDrafts } from './host-steps.ts';
import { requireRotatable } from './rotate-refusals.ts';
import { planBase, type View } from './view.ts';

/** What the operator asked for. */
export interface RotateWish {
  /** Names of controllers; empty: all. */
  readonly members: readonly string[];
  readonly purposes: readonly LeafPurpose[];
  /** Only what is due or not as wanted. */
  readonly due: boolean;
  readonly keys: 'make' | 'keep';
}

/**
 * The plan that rotates, or goes on with a rotation whose goal is open. `due` needs no goal: the certificates themselves say what is left to do.
 * @throws QuorateError refused, unreachable, usage
 */
export function planRotate(view: View, wish: RotateWish): Plan {
  const members = membersOf(view, wish);
  requireRotatable(view, members);
  const goal = wish.due ? undefined : goalOf(view, { ...wish, members });
  const open = openGoal(view.pki.goals, 'rotate');
  requireSameGoal(view, open, goal);
  const turns = members.flatMap((name) => turnOf(view, name, wish, goal) ?? []);
  const admin = wish.purposes.includes('client') ? adminRenewal(view) : undefined;
  const stages = rotateStages(view, { members, turns, goal, setsGoal: open === undefined, admin: admin?.draft });
  const reasons = wish.due
    ? [...members.flatMap((name) => keptReasons(view, name, wish, turns)), ...(admin?.reasons ?? [])]
    : [];
  const warnings = [...view.cluster.warnings, ...stoppedWarnings(view, turns)];
  return dropEmptyStages({ ...planBase(view, 'certs rotate'), warnings, stages, reasons });
}

/** Steps that a rotation has left undone; empty once it is met. Planning again would start another one. */
export function rotationLeft(view: View, wish: RotateWish, done: Plan): Plan {
  const set = done.stages.flatMap((each) => each.steps).find((step) => step.kind === 'goal.set');
  const goals = set === undefined ? [] : [{ ...set.goal, since: '', who: '' }];
  const again = planRotate(
    wish.due ? view : { ...view, pki: { ...view.pki, goals: [...goals, ...view.pki.goals] } },
    wish,
  );
  if (wish.due) return again;
  const stages = again.stages.filter((each) => each.id !== 'prove' && each.id !== 'met');
  return { ...again, stages };
}

function membersOf({ cluster }: View, wish: RotateWish): readonly string[] {
  const names = cluster.controllers.map((each) => each.name);
  const unknown = wish.members.filter((each) => !names.includes(each));
  if (unknown.length > 0) {
    throw new QuorateError('usage', `--member ${unknown.join(', ')}: the inventory has no such controller`, {
      hint: `one of: ${names.join(', ')}`,
    });
  }
  return wish.members.length === 0 ? names : [...new Set(wish.members)].sort(compareText);
}

/** The open goal where it is for the same members and certificates, or else a new one: each member's next generation. */
function goalOf(view: View, { members, purposes, keys }: RotateWish): RotateGoal {
  const open = openGoal(view.pki.goals, 'rotate');
  const wanted = leafPurposes.filter((each) => purposes.includes(each));
  const same =
    open !== undefined &&
    open.keys === keys &&
    [...open.purposes].sort().join() === [...wanted].sort().join() &&
    Object.keys(open.targets).sort(compareText).join() === members.join();
  if (same) return { kind: 'rotate', targets: open.targets, purposes: open.purposes, keys };
  const targets = members.map((name) => [name, currentGeneration(view.cluster, view.facts.hosts[name]) + 1] as const);
  return { kind: 'rotate', targets: Object.fromEntries(targets), purposes: wanted, keys };
}

function requireSameGoal(view: View, open: ReturnType<typeof openGoal<'rotate'>>, goal: RotateGoal | undefined): void {
  if (open === undefined || (goal !== undefined && goal.targets === open.targets)) return;
  throw new QuorateError(
    'refused',
    `a rotation is open (${open.purposes.join(', ')} certificates of ${Object.keys(open.targets).join(', ')}, begun by ${open.who}, ${open.since}), and this is another one`,
    { hint: `finish it first: ${finishingCommand(view, open)}` },
  );
}

function finishingCommand({ cluster }: View, { targets, purposes, keys }: RotateGoal): string {
  const all = cluster.controllers.every(({ name }) => targets[name] !== undefined);
  const members = all ? '' : ` --member ${Object.keys(targets).join(' ')}`;
  const kept = keys === 'keep' ? ' --keep-keys' : '';
  const kinds = purposes.length === leafPurposes.length ? '' : ` --kind ${purposes.join(',')}`;
  return `quorate certs rotate -i FILE${members}${kinds}${kept}`;
}

/** What a member still has to get; undefined where its goal is met, or nothing of it is due. */
function turnOf(view: View, name: string, wish: RotateWish, goal: RotateGoal | undefined): GenerationTurn | undefined {
  const { purposes, keys } = wish;
  if (goal === undefined) return renewingTurn(view, name, { purposes, keys });
  const number = goal.targets[name] ?? 0;
  if (currentGeneration(view.cluster, view.facts.hosts[name]) >= number) return undefined;
  const asked = Object.fromEntries(goal.purposes.map((each) => [each, 'a rotation was asked for'] as const));
  return nextTurn(view, name, { asked, keys: goal.keys, number });
}

interface Rotation {
  readonly members: readonly string[];
  readonly turns: readonly GenerationTurn[];
  readonly goal: RotateGoal | undefined;
  readonly setsGoal: boolean;
  readonly admin: Draft | undefined;
}

function rotateStages(view: View, { members, turns, goal, setsGoal, admin }: Rotation): readonly Stage[] {
  const drafts = turns.map((turn) => ({ serving: isServing(view, turn.host), ...generationDrafts(view, turn) }));
  const switches = (serving: boolean): readonly Draft[] =>
    drafts.filter((each) => each.serving === serving).flatMap((each) => each.switch);
  const folders = turns.flatMap(({ host }) => neededDrafts(view, [generationsDirectory(view, host)]));
  // Old keys go once their successors have been proved, which a member that does not run cannot be.
  const prune = members
    .filter((name) => isServing(view, name))
    .flatMap((name) => {
      const number = turns.find(({ host }) => host === name)?.number;
      return pruneDrafts(view, name, number ?? currentGeneration(view.cluster, view.facts.hosts[name]));
    });
  const set = goal !== undefined && setsGoal ? [goalStep(goal)] : [];
  const met: readonly Draft[] =
    goal === undefined
      ? []
      : [{ kind: 'goal.close', host: OPERATOR, goal: 'rotate', why: 'every member has what was asked for' }];
  const proofs = turns.length > 0 || prune.length > 0 || met.length > 0 ? proofDrafts(view, members) : [];
  return [
    stage('operator', 'with the operator', 'operator', [...set, ...(admin === undefined ? [] : [admin])]),
    stage('prepare', 'prepare new generations beside those in use', 'parallel', [
      ...folders,
      ...drafts.flatMap((each) => each.prepare),
    ]),
    stage(
      'issue',
      'issue certificates',
      'operator',
      drafts.flatMap((each) => each.issue),
    ),
    stage('put', 'put the certificates beside their keys', 'parallel', [
      ...drafts.flatMap((each) => each.put),
      ...switches(false),
    ]),
    stage('switch', 'switch over, without a restart', 'rolling', switches(true)),
    stage('prove', 'prove what is served', 'operator', proofs),
    stage('prune', 'remove what was replaced', 'parallel', prune),
    stage('met', 'the rotation is done', 'operator', met),
  ];
}

function goalStep(goal: RotateGoal): Draft {
  return { kind: 'goal.set', host: OPERATOR, goal, why: 'so that the same command goes on after an interruption' };
}

function proofDrafts(view: View, members: readonly string[]): readonly Draft[] {
  const serving = members.filter((name) => isServing(view, name));
  if (serving.length === 0) return [];
  const what = 'the new certificates are served, and clients and peers accept them';
  return [
    { kind: 'certificates.prove', host: OPERATOR, members: serving, what, why: 'only then old keys are removed' },
  ];
}

/** Whether the member's process runs: etcd reads certificates anew at each connection. */
function isServing({ facts }: View, name: string): boolean {
  return facts.hosts[name]?.unit.activeState === 'active';
}

function stoppedWarnings(view: View, turns: readonly GenerationTurn[]): readonly string[] {
  return turns
    .filter(({ host }) => !isServing(view, host))
    .map(
      ({ host }) =>
        `${host}: ${view.cluster.unit} does not run: its certificates are put in place, and proved by nothing until it starts; its old ones stay beside them`,
    );
}

/** Why certificates that were asked about are not rotated. */
function keptReasons(
  view: View,
  name: string,
  { purposes }: RotateWish,
  turns: readonly GenerationTurn[],
): readonly Reason[] {
  const renewed = turns.find(({ host }) => host === name)?.why ?? {};
  const lives = livesOf(view, name);
  const kept = purposes.filter((each) => renewed[each] === undefined);
  const texts = [...new Set(kept.map((each) => lives[each]?.text ?? 'is not known'))];
  return texts.map((text) => {
    const same = kept.filter((each) => (lives[each]?.text ?? 'is not known') === text);
    return { host: name, reason: `${same.join(', ')}: ${text}` };
  });
}
