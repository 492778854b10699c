/** A stage with the operator: certificates are issued in one go, everything else in order. */

import type { Facts } from '../domain/facts.ts';
import type { Stage } from '../domain/plan.ts';
import type { Step, StepKind } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import { crashAt, type Progress, type Run, viewNow } from './run.ts';

export async function runOperatorStage(stage: Stage, progress: Progress, run: Run): Promise<Progress> {
  const { ports } = run;
  const requests = stage.steps.filter((step): step is Step<'cert.issue'> => step.kind === 'cert.issue');
  let issued = progress.issued;
  if (requests.length > 0) {
    const view = await viewNow(progress.facts, run);
    const since = ports.now();
    issued = { ...issued, ...(await ports.operator.issue(requests, view)) };
    for (const step of requests) done(stage, step, since, run);
  }
  let { facts } = progress;
  for (const step of stage.steps) {
    if (step.kind === 'cert.issue') continue;
    facts = await freshFacts(step, facts, run);
    const view = await viewNow(facts, run);
    const since = ports.now();
    ports.emit({ type: 'step-start', stage: stage.id, host: step.host, text: describe(step).text });
    await ports.operator.perform(step, view, ports.signal);
    done(stage, step, since, run);
    crashAt(ports, step.id);
  }
  crashAt(ports, ...requests.map((each) => each.id));
  return { facts, issued };
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
