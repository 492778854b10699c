/** A stage with the operator: certificates are issued in one go, everything else in order. */

import type { Facts } from '../domain/facts.ts';
import type { Stage } from '../domain/plan.ts';
import type { Step, StepKind } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import type { View } from '../plan/view.ts';
import { isMembershipStep, runMembership } from './membership.ts';
import { crashAt, type Progress, type Run, stopIfAsked, viewNow } from './run.ts';

export async function runOperatorStage(stage: Stage, progress: Progress, run: Run): Promise<Progress> {
  const { ports } = run;
  const requests = stage.steps.filter((step): step is Step<'cert.issue'> => step.kind === 'cert.issue');
  let issued = progress.issued;
  if (requests.length > 0) {
    const view = await viewNow(progress.facts, run);
    const since = ports.now();
    ports.requireLock();
    issued = { ...issued, ...(await ports.operator.issue(requests, view)) };
    for (const step of requests) done(stage, step, since, run);
  }
  let { facts } = progress;
  for (const step of stage.steps) {
    if (step.kind === 'cert.issue') continue;
    facts = await freshFacts(step, facts, run);
    const view = await viewNow(facts, run);
    const since = ports.now();
    ports.requireLock();
    ports.emit({ type: 'step-start', stage: stage.id, host: step.host, text: describe(step).text });
    if (isMembershipStep(step)) facts = await runMembership(step, facts, run);
    else await perform(step, view, run);
    done(stage, step, since, run);
    crashAt(ports, step.id);
  }
  crashAt(ports, ...requests.map((each) => each.id));
  return { ...progress, facts, issued };
}

/** Steps that change nothing, however long they take: the first interrupt ends them. */
const waits: readonly StepKind[] = ['cluster.await', 'certificates.prove', 'release.fetch'];

async function perform(step: Step, view: View, run: Run): Promise<void> {
  const { operator, signal, stopping } = run.ports;
  if (!waits.includes(step.kind)) return operator.perform(step, view, signal);
  try {
    await operator.perform(step, view, AbortSignal.any([signal, stopping]));
  } catch (error) {
    stopIfAsked(`the end of "${describe(step).text}"`, run);
    throw error;
  }
}

/** Steps that are judged by how hosts and processes are in that moment. */
const judgesFacts: readonly StepKind[] = [
  'certificates.prove',
  'authority.activate',
  'authority.retire',
  'authority.uncross',
];

async function freshFacts({ kind }: Step, facts: Facts, { ports }: Run): Promise<Facts> {
  return judgesFacts.includes(kind) ? ports.look(facts, Object.keys(ports.connections)) : facts;
}

function done(stage: Stage, step: Step, since: number, { ports }: Run): void {
  const { text } = describe(step);
  ports.emit({ type: 'step-done', stage: stage.id, host: step.host, text, elapsedMs: ports.now() - since });
}
