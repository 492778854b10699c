/** The guard's arithmetic: whether a disruptive step may run. A majority is always one of all voters, not of the healthy ones. */

import { agreeing, counted } from './plural.ts';

/** A voter as the cluster's own list and its endpoints tell it. */
export interface Voter {
  readonly name: string;
  readonly healthy: boolean;
}

/** A disruptive step in the guard's terms. */
export type Disruption =
  | { readonly kind: 'stop'; readonly member: string; readonly allowDowntime: boolean }
  | { readonly kind: 'add-voter'; readonly member: string }
  /** Without a vote it changes no majority; etcd adds nobody beside members that are down. */
  | { readonly kind: 'add-learner'; readonly member: string; readonly needsAll: boolean }
  /** A learner that has caught up. */
  | { readonly kind: 'promote'; readonly member: string }
  | { readonly kind: 'remove'; readonly member: string };

/** undefined: it may run. Otherwise the reason why not. */
export type Objection = string | undefined;

/** How many of `voters` make a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * Judges one disruptive step against the voters as they are now (V) and as they would be (V′):
 * stopping M needs healthy(V′ without M) ≥ majority(V′); a membership change needs also healthy(V) ≥ majority(V), and a
 * new voter counts as down until it has caught up. Stopping a member that serves nothing costs nothing.
 */
export function object(voters: readonly Voter[], step: Disruption): Objection {
  switch (step.kind) {
    case 'stop':
      return objectToStop(voters, step.member, step.allowDowntime);
    case 'add-voter':
      return objectToChange(voters, [...voters, { name: step.member, healthy: false }], `adding ${step.member}`);
    case 'add-learner':
      return objectToLearner(voters, step);
    case 'promote':
      return objectToChange(voters, [...voters, { name: step.member, healthy: true }], `promoting ${step.member}`);
    case 'remove':
      if (voters.length <= 1) return `${step.member} is the last member: removing it would end the cluster`;
      return objectToChange(
        voters,
        voters.filter((each) => each.name !== step.member),
        `removing ${step.member}`,
      );
  }
}

/** Judges steps that happen together, or one upon the other: each against the voters as those before it leave them. */
export function objectToAll(voters: readonly Voter[], steps: readonly Disruption[]): Objection {
  let left = voters;
  for (const step of steps) {
    const objection = object(left, step);
    if (objection !== undefined) return objection;
    left = votersAfter(left, step);
  }
  return undefined;
}

/** The voters once a step has been done: who was stopped is down, and who was added as well. */
export function votersAfter(voters: readonly Voter[], { kind, member }: Disruption): readonly Voter[] {
  const others = voters.filter((each) => each.name !== member);
  if (kind === 'remove') return others;
  if (kind === 'add-learner') return voters;
  if (kind === 'promote') return [...others, { name: member, healthy: true }];
  if (kind === 'stop' && others.length === voters.length) return voters;
  return [...others, { name: member, healthy: false }];
}

function objectToStop(voters: readonly Voter[], member: string, allowDowntime: boolean): Objection {
  const stopped = voters.find((each) => each.name === member);
  if (stopped === undefined || !stopped.healthy) return undefined;
  if (voters.length <= 2 && allowDowntime) return undefined;
  const left = healthyCount(voters.filter((each) => each.name !== member));
  const needed = majority(voters.length);
  if (left >= needed) return undefined;
  return `stopping ${member} would leave ${left} of ${counted(voters.length, 'voter')} healthy, and ${needed} ${agreeing(needed, 'is', 'are')} needed`;
}

/**
 * etcd's own rule (reference/etcd-operations.md, section 4): up to 3.5.29 and 3.6.10 every voter must be connected, since then a majority that counts the
 * newcomer as down.
 */
function objectToLearner(
  voters: readonly Voter[],
  { member, needsAll }: { readonly member: string; readonly needsAll: boolean },
): Objection {
  const what = `adding ${member}`;
  const now = objectToChange(voters, voters, what);
  if (now !== undefined) return now;
  const down = voters.filter((each) => !each.healthy).map((each) => each.name);
  const needed = needsAll ? voters.length : majority(voters.length + 1);
  if (down.length === 0 || voters.length - down.length >= needed) return undefined;
  return `${what} is not possible while ${down.join(', ')} ${agreeing(down.length, 'is', 'are')} down: etcd wants ${needed} of ${counted(voters.length, 'voter')} healthy for that`;
}

function objectToChange(before: readonly Voter[], after: readonly Voter[], what: string): Objection {
  const now = healthyCount(before);
  if (now < majority(before.length)) {
    const needed = majority(before.length);
    return `${what} is not possible: ${now} of ${counted(before.length, 'voter')} ${agreeing(now, 'is', 'are')} healthy, and ${needed} ${agreeing(needed, 'is', 'are')} needed`;
  }
  const then = healthyCount(after);
  const needed = majority(after.length);
  if (then >= needed) return undefined;
  return `${what} would leave ${then} of ${counted(after.length, 'voter')} healthy, and ${needed} ${agreeing(needed, 'is', 'are')} needed`;
}

function healthyCount(voters: readonly Voter[]): number {
  return voters.filter((each) => each.healthy).length;
}
