/** certs rotate: new certificates for members, by way of a new generation each; all of them, some, or those that are due. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { currentGeneration } from '../domain/generation.ts';
import { openGoal, type RotateGoal } from '../domain/goal.ts';
import { compareText, dropEmptyStages, type Plan, type Reason } from '../domain/plan.ts';
import { type LeafPurpose, leafPurposes } from '../domain/step.ts';
import { adminRenewal } from './admin-renewal.ts';
import { type GenerationTurn, nextTurn, renewingTurn } from './generation.ts';
import { livesOf } from './generation-wish.ts';
import { requireSettled } from './moves.ts';
import { outsideWarnings } from './outside-due.ts';
import { listRefresh } from './revocation-refresh.ts';
import { finishingCommand, requireOwnSigner, requireRotatable, requireServing } from './rotate-refusals.ts';
import { rotateStages, rotateWarnings, runs } from './rotate-stages.ts';
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
  requireSettled(view, members);
  requireOwnSigner(view, members, wish);
  const goal = wish.due ? undefined : goalOf(view, { ...wish, members });
  const open = openGoal(view.pki.goals, 'rotate');
  requireSameGoal(view, open, goal);
  const lists = listRefresh(view.pki, view.now);
  const then = { ...view, pki: lists.pki };
  const turns = members.flatMap((name) => turnOf(then, name, wish, goal) ?? []);
  if (turns.some(({ host }) => runs(view, host))) requireServing(view);
  const admin = wish.purposes.includes('client') ? adminRenewal(view) : undefined;
  const operator = [...(admin?.draft === undefined ? [] : [admin.draft]), ...(turns.length > 0 ? lists.drafts : [])];
  const stages = rotateStages(then, { members, turns, goal, setsGoal: open === undefined, operator });
  const reasons = wish.due
    ? [...members.flatMap((name) => keptReasons(view, name, wish, turns)), ...(admin?.reasons ?? [])]
    : [];
  const warnings = [
    ...view.cluster.warnings,
    ...rotateWarnings(view, turns),
    ...outsideWarnings(view, members, wish.purposes),
  ];
  return dropEmptyStages({ ...planBase(view, 'certs rotate'), warnings, stages, reasons });
}

/** Steps that a rotation has left undone; empty once it is met. Planning again would start another one. */
export function rotationLeft(view: View, wish: RotateWish, done: Plan): Plan {
  const met = done.stages.flatMap((each) => each.steps).find((step) => step.kind === 'goal.close');
  const goals = met === undefined ? view.pki.goals : [{ ...met.goal, since: '', who: '' }];
  const again = planRotate({ ...view, pki: { ...view.pki, goals } }, wish);
  // A member that did not run at first keeps its old folders, which the plan has said, until a later run proves the new one.
  const kept = done.stages.some((each) => each.id === 'prune') ? ['prove', 'met'] : ['prove', 'met', 'prune'];
  return { ...again, stages: again.stages.filter((each) => !kept.includes(each.id)) };
}

/** Whether something that was asked for can only be renewed by an authority elsewhere. */
export function waitsForOthers(view: View, wish: RotateWish): boolean {
  return outsideWarnings(view, membersOf(view, wish), wish.purposes).length > 0;
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

/** What a member still has to get; undefined where its goal is met, or nothing of it is due. */
function turnOf(view: View, name: string, wish: RotateWish, goal: RotateGoal | undefined): GenerationTurn | undefined {
  const { purposes, keys } = wish;
  if (goal === undefined) return renewingTurn(view, name, { purposes, keys });
  const number = goal.targets[name] ?? 0;
  if (currentGeneration(view.cluster, view.facts.hosts[name]) >= number) return undefined;
  const asked = Object.fromEntries(goal.purposes.map((each) => [each, 'a rotation was asked for'] as const));
  return nextTurn(view, name, { asked, keys: goal.keys, number });
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
