/** A stage that takes one member at a time: who does not serve first, then followers, the leader last. */
import type { Facts } from '../domain/facts.ts';
import type { Stage } from '../domain/plan.ts';
import type { Step } from '../domain/step.ts';
import { serves } from '../domain/voters.ts';
import { leads } from './leadership.ts';
import { groupByHost, type Progress, type Run, stopIfAsked, type TurnStep, turnSteps } from './run.ts';
import { takeTurn } from './turn.ts';
import { restarts } from './turn-steps.ts';

/** How many things of a member's turn are told: its steps, and the gate. */
export function turnLength(steps: readonly Step[]): number {
  return steps.length + 1;
}

/**
 * Before each turn every host and endpoint is looked at anew, and a first interrupt is heeded.
 * @throws QuorateError refused (the guard), step-failed with what is true of the member whose turn failed, interrupted
 */
export async function runRollingStage(stage: Stage, progress: Progress, run: Run): Promise<Progress> {
  const { ports } = run;
  let waiting = groupByHost(turnSteps(stage));
  let { facts } = progress;
  while (waiting.length > 0) {
    facts = await ports.look(facts, Object.keys(ports.connections));
    const next = nextTurn(waiting, facts);
    if (next === undefined) break;
    const [host, steps] = next;
    stopIfAsked(`the turn of ${host} in "${stage.title}"`, run);
    facts = await takeTurn({ stage, host, steps }, { ...progress, facts }, run);
    waiting = waiting.filter(([name]) => name !== host);
  }
  return { ...progress, facts };
}

type Turn = readonly [string, readonly TurnStep[]];

function nextTurn(waiting: readonly Turn[], facts: Facts): Turn | undefined {
  const moves = ([, steps]: Turn): boolean => steps.some((each) => each.kind === 'member.update');
  const some = waiting.some(moves);
  const rank = (turn: Turn): number => {
    const [host, steps] = turn;
    if (!serves(facts, host)) return 0;
    if (leads(facts, host)) return 3;
    // The list has been told of it by a run that came no further: others that restart now would dial it in vain.
    return some && !moves(turn) && restarts(steps) ? 1 : 2;
  };
  return waiting.toSorted((a, b) => rank(a) - rank(b))[0];
}
