/** One member's turn in a rolling stage: guard, leadership, its steps as one script, the gate; and back where that fails. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { awaitGate } from './gate.ts';
import { guard } from './guard.ts';
import { giveUpLeadership } from './leadership.ts';
import { runOnHost } from './parallel-stage.ts';
import {
  asQuorateError,
  crashAt,
  cutAtFailpoint,
  type Progress,
  type Run,
  stillNeeded,
  undone,
  viewNow,
  withHosts,
} from './run.ts';
import { takeBack } from './take-back.ts';
import { tellList } from './turn-list.ts';
import { changesServed, isScripted, restarts, type Turn, versionAfter } from './turn-steps.ts';

/**
 * Takes the turn of a member by facts that were observed just now; the facts after it. Nothing happens where none of its steps is needed any more.
 * @throws QuorateError refused before anything was changed; step-failed with what was taken back and what is true now; interrupted
 */
export async function takeTurn(turn: Turn, progress: Progress, run: Run): Promise<Facts> {
  const { ports } = run;
  const view = await viewNow(progress.facts, run);
  const steps = stillNeeded(turn.stage, cutAtFailpoint(turn.steps, ports.failpoint), { view, run });
  if (steps.length === 0) return progress.facts;
  const needed = { ...turn, steps };
  const before = await prepare(needed, progress.facts, run);
  try {
    const changed = await change(needed, { ...progress, facts: before }, run);
    return await passGate(needed, { before, changed }, run);
  } catch (error) {
    const cause = asQuorateError(error);
    if (cause.code === 'interrupted' || cause.code === 'locked' || ports.signal.aborted) throw cause;
    throw await takeBack(cause, { turn: needed, progress: { ...progress, facts: before } }, run);
  }
}

/** Asks the guard, and moves leadership away from a member that is about to be restarted; then the guard is asked again. */
async function prepare({ host, steps }: Turn, facts: Facts, run: Run): Promise<Facts> {
  const ask = async (seen: Facts): Promise<void> =>
    guard(steps, { view: await viewNow(seen, run), mode: 'rolling', permits: run.permits });
  await ask(facts);
  if (!restarts(steps)) return facts;
  const moved = await giveUpLeadership(host, facts, run);
  if (moved !== facts) await ask(moved);
  return moved;
}

async function change({ stage, host, steps }: Turn, progress: Progress, run: Run): Promise<Facts> {
  let facts = await tellList({ stage, host, steps }, progress.facts, run);
  const scripted = steps.filter(isScripted);
  if (scripted.length > 0) {
    const view = await viewNow(facts, run);
    const seen = await runOnHost(stage, { host, steps: scripted }, { view, progress, run });
    facts = withHosts(facts, [seen], run.ports.now());
  }
  crashAt(run.ports, ...steps.map((each) => each.id));
  const [first] = undone(steps, await viewNow(facts, run));
  if (first !== undefined) throw first;
  return facts;
}

async function passGate(
  { stage, host, steps }: Turn,
  { before, changed }: { readonly before: Facts; readonly changed: Facts },
  run: Run,
): Promise<Facts> {
  const { ports } = run;
  const since = ports.now();
  const event = { stage: stage.id, host, text: 'serves as it should' };
  ports.emit({ type: 'step-start', ...event });
  const wish = {
    ...{ host, before, restarted: restarts(steps) },
    ...{ prove: changesServed(steps), version: versionAfter(steps) },
  };
  const { facts, objections } = await awaitGate(wish, run);
  const elapsedMs = ports.now() - since;
  if (objections.length === 0) {
    ports.emit({ type: 'step-done', ...event, elapsedMs });
    return { ...changed, ...facts };
  }
  const reason = objections.join('; ');
  ports.emit({ type: 'step-failed', ...event, reason, elapsedMs });
  throw new QuorateError('step-failed', `${host}: is not well after its turn: ${reason}`, {
    host,
    step: steps.at(-1)?.id,
  });
}
