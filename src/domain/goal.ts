/** Goals: what an imperative verb wants to be true, kept in the store until facts say that it is. Desired state, no progress. */
import type { LeafPurpose } from './purpose.ts';

/** Met when each target's link has reached its number. */
export interface RotateGoal {
  readonly kind: 'rotate';
  /** Numbers of generations, by member. */
  readonly targets: Readonly<Record<string, number>>;
  readonly purposes: readonly LeafPurpose[];
  /** Whether new private keys are made, or those in use are kept. */
  readonly keys: 'make' | 'keep';
}

/** Met when every member runs `to` and the cluster's version is its minor. */
export interface VersionGoal {
  readonly kind: 'version';
  readonly way: 'up' | 'down';
  readonly to: string;
  /** Releases on the way, as they were asked for. */
  readonly via: readonly string[];
  /** What ran before: where it is taken back to. */
  readonly from: string;
}

/** Met when the list has a started voter on the host `with`, and no member `id`. */
export interface ReplaceGoal {
  readonly kind: 'replace';
  /** ID of the member that gives way, 16 hexadecimal digits. */
  readonly id: string;
  /** What people call it. */
  readonly member: string;
  /** The controller whose member comes in its place. */
  readonly with: string;
}

/** Met when none of these processes runs any more, and every one of these members runs. */
export interface RestartGoal {
  readonly kind: 'restart';
  /** Invocations that are to end, by member; '' for one that did not run. */
  readonly ends: Readonly<Record<string, string>>;
}

/** What is wanted. */
export type Goal = RotateGoal | RestartGoal | VersionGoal | ReplaceGoal;

/** A goal that is not known to be met yet. */
export type OpenGoal = Goal & {
  /** RFC 3339 */
  readonly since: string;
  /** `user@host` of the operator. */
  readonly who: string;
};

/** The open goal of a kind; there is one at most. */
export function openGoal<K extends Goal['kind']>(
  goals: readonly OpenGoal[],
  kind: K,
): Extract<OpenGoal, { readonly kind: K }> | undefined {
  return goals.find((each): each is Extract<OpenGoal, { readonly kind: K }> => each.kind === kind);
}

/** Whether two goals want the same, whoever wanted it and when. */
export function sameGoal(a: Goal, b: Goal): boolean {
  return canonical(a) === canonical(b);
}

function canonical(goal: Goal): string {
  switch (goal.kind) {
    case 'rotate': {
      const { kind, targets, purposes, keys } = goal;
      return JSON.stringify([kind, Object.entries(targets).sort(), [...purposes].sort(), keys]);
    }
    case 'restart':
      return JSON.stringify([goal.kind, Object.entries(goal.ends).sort()]);
    case 'version':
      return JSON.stringify([goal.kind, goal.way, goal.to]);
    case 'replace':
      return JSON.stringify([goal.kind, goal.id, goal.with]);
  }
}
