/** What the verbs of `member` are asked for, and the planner of each: the verbs run it, `plan` shows it. */
import type { Cluster } from '../domain/cluster.ts';
import { parseDuration } from '../domain/duration.ts';
import { QuorateError } from '../domain/errors.ts';
import { withDeparting } from '../domain/membership.ts';
import type { Plan } from '../domain/plan.ts';
import { planAdd, planPromote } from '../plan/member-add.ts';
import { planRemove } from '../plan/member-remove.ts';
import { planReplace, replaceLeft } from '../plan/member-replace.ts';
import { planMoveLeader } from '../plan/move-leader.ts';
import type { View } from '../plan/view.ts';
import { type Invocation, value } from './command.ts';

/** How long a learner may come no further before the wait for it ends. */
const STALL_MS = 600_000;

const words = ['add', 'promote', 'remove', 'replace', 'move-leader'] as const;
export type MemberWord = (typeof words)[number];

/** Of `plan member add …`; undefined where another verb is planned. */
export function memberWord({ args }: Invocation): MemberWord | undefined {
  return args[0] === 'member' ? words.find((each) => each === args[1]) : undefined;
}

export interface MemberRun {
  /** The cluster that is left: who goes is among its departing hosts. */
  readonly cluster: Cluster;
  readonly planner: (view: View) => Plan;
  /** What a run that did `done` has left undone. */
  readonly left: (view: View, done: Plan) => Plan;
  readonly question: string;
  /** Hosts need not be fit for a member that only leaves, or is there already. */
  readonly preflight?: false;
}

/** @throws QuorateError usage */
export function memberRun(word: MemberWord, invocation: Invocation, inventory: Cluster): MemberRun {
  const cluster = withDeparting(inventory, inventory.absent ?? []);
  const { args } = invocation;
  const stallMs = patienceOf(invocation);
  const named = args.join(', ');
  const same = (planner: (view: View) => Plan) => ({ planner, left: planner });
  switch (word) {
    case 'add': {
      const planner = (view: View): Plan => planAdd(view, { members: args, stallMs });
      const question = `Add ${named || 'what the cluster lacks'} to ${cluster.name}?`;
      return { cluster, ...same(planner), question };
    }
    case 'promote': {
      const planner = (view: View): Plan => planPromote(view, { members: args, stallMs });
      return {
        cluster,
        ...same(planner),
        question: `Promote ${named || 'learners'} of ${cluster.name}?`,
        preflight: false,
      };
    }
    case 'remove': {
      if (args.length === 0) throw new QuorateError('usage', 'member remove: name the members, or their IDs');
      const planner = (view: View): Plan => planRemove(view, { members: args });
      const question = `Remove ${named} from ${cluster.name}?`;
      return { cluster: withDeparting(cluster, args), ...same(planner), question, preflight: false };
    }
    case 'replace':
      return replaceRun(invocation, cluster, stallMs);
    case 'move-leader': {
      const [to] = oneAtMost(args, 'move-leader');
      const planner = (view: View): Plan => planMoveLeader(view, to);
      // Without a name there is always another one to move it to.
      const left = (view: View, done: Plan): Plan => (to === undefined ? { ...done, stages: [] } : planner(view));
      return { cluster, planner, left, question: `Move leadership in ${cluster.name}?`, preflight: false };
    }
  }
}

function replaceRun(invocation: Invocation, cluster: Cluster, stallMs: number): MemberRun {
  const [member] = oneAtMost(invocation.args, 'replace');
  if (member === undefined) throw new QuorateError('usage', 'member replace: name the member, or its ID');
  const by = value(invocation, 'with');
  const planner = (view: View): Plan => planReplace(view, { member, with: by, stallMs });
  const question = `Replace ${member}${by === undefined ? '' : ` with ${by}`} in ${cluster.name}?`;
  const rest = by === undefined || by === member ? cluster : withDeparting(cluster, [member]);
  return { cluster: rest, planner, left: replaceLeft, question };
}

function oneAtMost(args: readonly string[], word: string): readonly string[] {
  if (args.length <= 1) return args;
  throw new QuorateError('usage', `member ${word}: one member at a time, not ${args.join(', ')}`);
}

/** What `--patience` says, in milliseconds. @throws QuorateError usage */
export function patienceOf(invocation: Invocation): number {
  const text = value(invocation, 'patience');
  return text === undefined ? STALL_MS : parseDuration(text, '--patience');
}
