/** member replace: another host, or the same one anew, in the place of a member. Pure. */
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { MemberFact } from '../domain/facts.ts';
import { openGoal, type ReplaceGoal } from '../domain/goal.ts';
import { addsBesideAllOnly, hostOf, hostsOf, isArriving, memberOf } from '../domain/membership.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { type Disruption, objectToAll, type Voter } from '../domain/quorum.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { serves, votersOf } from '../domain/voters.ts';
import { requireNotReopened } from './live-refusals.ts';
import { requireJoinable } from './member-add.ts';
import { arrivalOf, type JoinWish, joinPrune, joinStages, memberFiles } from './member-join.ts';
import { removeStages } from './member-remove.ts';
import {
  findTarget,
  goalHint,
  requireFormed,
  requireList,
  requireNoOtherArrival,
  type Target,
} from './member-targets.ts';
import { requireTlsAmongPeers } from './plaintext.ts';
import { planBase, type View } from './view.ts';

export interface ReplaceWish {
  /** A controller, a member's own name, or an ID. */
  readonly member: string;
  /** The controller whose member comes in its place; undefined: that of the same name. */
  readonly with: string | undefined;
  readonly stallMs: number;
}

/**
 * A member that serves well and moves to another host goes last; one that is dead, whose data is gone or differs, or whose own host takes its place goes
 * first: etcd adds nobody beside one that is down. Empty, with the reason, once it is done.
 * @throws QuorateError refused, usage, unreachable
 */
export function planReplace(view: View, wish: ReplaceWish): Plan {
  const list = requireList(view);
  const done = reasonOfDone(view, list, wish);
  if (done !== undefined) return { ...planBase(view, 'member replace'), stages: [], reasons: [done] };
  const { goal, open } = goalOf(view, list, wish);
  const newcomer = requireNewcomer(view, goal);
  const target = oldOf(view, list, goal);
  const others = list.filter((each) => each.id !== goal.id);
  requireFormed(view, [newcomer.name, ...(target.controller === undefined ? [] : [target.controller.name])]);
  requireTlsAmongPeers(view);
  requireNotReopened(view);
  requireJoinable(view, [newcomer.name]);
  requireNoOtherArrival(view, others, [newcomer.name]);
  if (!open) requireOutside(others, newcomer, goal);
  const sameHost = target.controller?.name === newcomer.name;
  const addFirst = !sameHost && votes(target) && servesWell(view, target);
  if (votes(target)) requireOthers(view, target, { addFirst, newcomer: newcomer.name });
  const join: JoinWish = {
    names: [newcomer.name],
    list: addFirst ? list : others,
    cleaned: sameHost ? [newcomer.name] : [],
    stallMs: wish.stallMs,
  };
  const change = changeStages(view, target, { join, addFirst, disable: !sameHost });
  return dropEmptyStages({
    ...planBase(view, 'member replace'),
    warnings: [...view.cluster.warnings, ...leftHost(view, target)],
    stages: [stage('goal', 'note what is wanted', 'operator', goalDrafts(goal, open)), ...change, metStage(goal)],
    reasons: [],
  });
}

interface Exchange {
  readonly join: JoinWish;
  readonly addFirst: boolean;
  /** Whether the old host is not to start etcd any more. */
  readonly disable: boolean;
}

function changeStages(view: View, target: Target, { join, addFirst, disable }: Exchange): readonly Stage[] {
  const removal = removeStages(view, target, { disable });
  const { beside, join: joining } = joinStages(view, join);
  return [
    ...beside,
    ...(addFirst ? [...joining, ...removal] : [...removal, ...joining]),
    stage('prove', 'prove the cluster', 'operator', [
      { kind: 'data.prove', host: OPERATOR, why: 'all voters hold the same data' },
    ]),
    memberFiles(view, join),
    stage('prune', 'remove what was replaced', 'parallel', joinPrune(view, join)),
  ];
}

function metStage(goal: ReplaceGoal): Stage {
  return stage('met', 'note that it is done', 'operator', [
    { kind: 'goal.close', host: OPERATOR, goal, why: 'it is met' },
  ]);
}

/** What a replacement has left undone: nothing once its goal is closed, the old member gone and the new one a voter. */
export function replaceLeft(view: View, done: Plan): Plan {
  const closed = done.stages.flatMap((each) => each.steps).find((step) => step.kind === 'goal.close');
  const goal = closed?.goal.kind === 'replace' ? closed.goal : undefined;
  const list = requireList(view);
  const open = openGoal(view.pki.goals, 'replace');
  const newcomer = view.cluster.controllers.find((each) => each.name === goal?.with);
  const arrived = newcomer !== undefined && arrivalOf(view, newcomer, list) === 'voter';
  const stages: readonly Stage[] =
    goal === undefined || (open === undefined && arrived && list.every((each) => each.id !== goal.id))
      ? []
      : done.stages;
  return { ...done, stages };
}

/** Once the cluster has it no more, its host is the one that is marked with its ID: it may still have to be cleaned up. */
function oldOf(view: View, list: readonly MemberFact[], { id, member: label }: ReplaceGoal): Target {
  const member = list.find((each) => each.id === id);
  if (member !== undefined) return { label, member, controller: hostOf(view.cluster, view.facts, member) };
  const marked = hostsOf(view.cluster).filter(({ name }) => view.facts.hosts[name]?.records.marker?.memberId === id);
  return { label, member, controller: marked.find((each) => memberOf(list, each) === undefined) };
}

function goalOf(
  view: View,
  list: readonly MemberFact[],
  wish: ReplaceWish,
): { readonly goal: ReplaceGoal; readonly open: boolean } {
  const open = openGoal(view.pki.goals, 'replace');
  if (open !== undefined) {
    const { id, member, with: by } = open;
    const same = (wish.member === member || wish.member.toLowerCase() === id) && (wish.with ?? by) === by;
    if (same) return { goal: { kind: 'replace', id, member, with: by }, open: true };
    throw new QuorateError(
      'refused',
      `another replacement is open (${by} in the place of ${member}, begun by ${open.who}, ${open.since})`,
      {
        hint: goalHint(open),
      },
    );
  }
  const { label, member, controller } = findTarget(view, list, wish.member);
  if (member === undefined) {
    throw new QuorateError('refused', `${label}: is no member: there is nothing to replace`, {
      hint: `quorate member add ${label} -i FILE makes it one; quorate member list -i FILE shows the members`,
    });
  }
  const named = view.cluster.controllers.find((each) => each.name === wish.member) ?? controller;
  return {
    goal: { kind: 'replace', id: member.id, member: label, with: wish.with ?? named?.name ?? label },
    open: false,
  };
}

/** A replacement that was asked for by both names and has come to its end: planned anew it finds nothing. */
function reasonOfDone(view: View, list: readonly MemberFact[], wish: ReplaceWish): Reason | undefined {
  const by = view.cluster.controllers.find((each) => each.name === wish.with);
  if (by === undefined || openGoal(view.pki.goals, 'replace') !== undefined) return undefined;
  const { label, member } = findTarget(view, list, wish.member);
  if (member !== undefined || arrivalOf(view, by, list) !== 'voter') return undefined;
  return { host: by.name, reason: `is a member, and ${label} is none any more` };
}

/** @throws QuorateError refused where the newcomer has a vote already: then nobody would come for the one that goes */
function requireOutside(others: readonly MemberFact[], { name, peerUrl }: Controller, { member }: ReplaceGoal): void {
  const found = memberOf(others, { peerUrl });
  if (found === undefined || isArriving(found)) return;
  throw new QuorateError('refused', `${name}: is a member already: nobody would come in the place of ${member}`, {
    host: name,
    hint: `quorate member remove ${member} -i FILE takes it out alone`,
  });
}

function votes({ member }: Target): boolean {
  return member !== undefined && !member.learner;
}

function goalDrafts(goal: ReplaceGoal, open: boolean): readonly Draft[] {
  if (open) return [];
  return [{ kind: 'goal.set', host: OPERATOR, goal, why: 'a run that is interrupted goes on with it' }];
}

function requireNewcomer({ cluster }: View, goal: ReplaceGoal): Controller {
  const found = cluster.controllers.find((each) => each.name === goal.with);
  if (found !== undefined) return found;
  throw new QuorateError(
    'usage',
    `${goal.with}: the inventory has no such controller to take the place of ${goal.member}`,
    {
      hint: 'write the new host under controllers, and name it: quorate member replace NAME --with CONTROLLER -i FILE',
    },
  );
}

/** Whether it answers through the quorum, and no alarm says that its data differs. */
function servesWell({ facts }: View, { controller, member }: Target): boolean {
  if (controller === undefined || !serves(facts, controller.name)) return false;
  const alarms = Object.values(facts.endpoints).flatMap((each) => each.alarms);
  return !alarms.some(({ kind, memberId }) => kind === 'CORRUPT' && (memberId === member?.id || /^0+$/.test(memberId)));
}

/** @throws QuorateError refused where the others are no majority without it, or etcd would add nobody beside them */
function requireOthers(
  { cluster, facts }: View,
  { label }: Target,
  { addFirst, newcomer }: { readonly addFirst: boolean; readonly newcomer: string },
): void {
  const needsAll = addsBesideAllOnly(cluster, facts);
  const remove: readonly Disruption[] = [{ kind: 'remove', member: label }];
  const add: readonly Disruption[] = [
    { kind: 'add-learner', member: newcomer, needsAll },
    { kind: 'promote', member: newcomer },
  ];
  const voters = votersOf(cluster, facts);
  const objection = objectToAll(voters, addFirst ? [...add, ...remove] : [...remove, ...add]);
  if (objection === undefined) return;
  const down = voters.filter((each) => !each.healthy && each.name !== label).map((each) => each.name);
  throw new QuorateError('refused', objection, { hint: wayOut(voters, { label, down }) });
}

function wayOut(
  voters: readonly Voter[],
  { label, down }: { readonly label: string; readonly down: readonly string[] },
): string {
  if (voters.length === 1) {
    return 'a single member has nobody to copy from: move it to another controller (--with) while it serves, or restore a snapshot';
  }
  const [first] = down;
  if (first === undefined || objectToAll(voters, [{ kind: 'remove', member: first }]) !== undefined) {
    return 'bring other members back first: quorate status -i FILE';
  }
  return `bring ${down.join(', ')} back first; or take that out until ${label} is replaced: quorate member remove ${first} -i FILE, then replace ${label}, then quorate member add ${first}`;
}

function leftHost({ cluster, facts }: View, { label, member, controller }: Target): readonly string[] {
  if (member === undefined) return [];
  if (controller !== undefined && facts.hosts[controller.name] !== undefined) return [];
  return [
    `${label}: its old host is not reached, and is left as it is. Where that comes back: systemctl disable --now ${cluster.unit}, and move ${cluster.paths.dataDir} aside`,
  ];
}
