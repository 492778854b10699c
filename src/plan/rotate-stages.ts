/** The stages of a rotation: prepared in parallel beside what is in use, switched one by one, proved, pruned. Pure. */
import { currentGeneration } from '../domain/generation.ts';
import type { RotateGoal } from '../domain/goal.ts';
import { type Stage, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { type GenerationTurn, generationDrafts, generationsDirectory, pruneDrafts } from './generation.ts';
import { neededDrafts } from './host-steps.ts';
import type { View } from './view.ts';

/** What is done to whom. */
export interface Rotation {
  readonly members: readonly string[];
  readonly turns: readonly GenerationTurn[];
  readonly goal: RotateGoal | undefined;
  readonly setsGoal: boolean;
  /** What the operator makes before: its own certificate, revocation lists. */
  readonly operator: readonly Draft[];
}

/** Stages that may have no steps. */
export function rotateStages(view: View, { members, turns, goal, setsGoal, operator }: Rotation): readonly Stage[] {
  const drafts = turns.map((turn) => draftsOf(view, turn));
  const switches = (taken: boolean): readonly Draft[] =>
    drafts.filter((each) => each.inTurn === taken).flatMap((each) => each.switch);
  const folders = turns.flatMap(({ host }) => neededDrafts(view, [generationsDirectory(view, host)]));
  // Old keys go once their successors have been proved, which a member that does not run cannot be.
  const prune = members
    .filter((name) => runs(view, name))
    .flatMap((name) => {
      const own = drafts.find((each) => each.host === name)?.prune;
      return own ?? pruneDrafts(view, { host: name, number: currentGeneration(view.cluster, view.facts.hosts[name]) });
    });
  const set = goal !== undefined && setsGoal ? [goalStep(goal)] : [];
  const met = goal === undefined ? [] : [metStep(goal)];
  const proofs = turns.length > 0 || prune.length > 0 || met.length > 0 ? proofDrafts(view, members) : [];
  return [
    stage('operator', 'with the operator', 'operator', [...set, ...operator]),
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

function draftsOf(view: View, turn: GenerationTurn) {
  const { host } = turn;
  return { host, inTurn: runs(view, host), ...generationDrafts(view, turn) };
}

function metStep(goal: RotateGoal): Draft {
  return { kind: 'goal.close', host: OPERATOR, goal, why: 'every member has what was asked for' };
}

function goalStep(goal: RotateGoal): Draft {
  return { kind: 'goal.set', host: OPERATOR, goal, why: 'so that the same command goes on after an interruption' };
}

function proofDrafts(view: View, members: readonly string[]): readonly Draft[] {
  const running = members.filter((name) => runs(view, name));
  if (running.length === 0) return [];
  const what = 'the new certificates are served, and clients and peers accept them';
  const why = 'only then old keys are removed';
  return [{ kind: 'certificates.prove', host: OPERATOR, members: running, what, why }];
}

/** Whether the member's process runs: etcd reads certificates anew at each connection. */
export function runs({ facts }: View, name: string): boolean {
  return facts.hosts[name]?.unit.activeState === 'active';
}

/** What is switched without a proof in its turn, and why. */
export function rotateWarnings(view: View, turns: readonly GenerationTurn[]): readonly string[] {
  const { unit } = view.cluster;
  return turns
    .filter(({ host }) => !runs(view, host))
    .map(
      ({ host }) =>
        `${host}: ${unit} does not run: its certificates are put in place, and proved by nothing until it starts; its old ones stay beside them`,
    );
}
