/** Runs a plan: stage by stage, each step only while it is still needed, each proved done by fresh facts before the next stage. */
import type { Facts } from '../domain/facts.ts';
import type { Plan, Stage } from '../domain/plan.ts';
import { runOperatorStage } from './operator-stage.ts';
import { runParallelStage } from './parallel-stage.ts';
import type { ExecutorPorts } from './ports.ts';
import { runRollingStage, turnLength } from './rolling-stage.ts';
import { crashAt, groupByHost, type Progress, type Run, stopIfAsked } from './run.ts';

/**
 * Runs every stage of `plan` in order under the lock `token` and returns what is known at the end.
 * @throws QuorateError step-failed, refused (the guard), unreachable, locked (the lock was lost), interrupted. Running the same command again goes on.
 */
export async function execute(plan: Plan, first: Facts, token: string, ports: ExecutorPorts): Promise<Progress> {
  const run: Run = { ports, token, permits: plan.permits ?? {} };
  let progress: Progress = { facts: first, issued: {}, latest: [] };
  for (const stage of plan.stages) {
    stopIfAsked(`"${stage.title}"`, run);
    ports.requireLock();
    const since = ports.now();
    const groups = groupByHost(stage.steps);
    const length = (steps: Stage['steps']): number => (stage.mode === 'rolling' ? turnLength(steps) : steps.length);
    const steps = Object.fromEntries(groups.map(([host, own]) => [host, length(own)]));
    ports.emit({ type: 'stage-start', stage: stage.id, title: stage.title, hosts: Object.keys(steps), steps });
    progress = await runStage(stage, { ...progress, latest: [] }, run);
    ports.emit({ type: 'stage-done', stage: stage.id, elapsedMs: ports.now() - since });
    crashAt(ports, `stage:${stage.id}`);
  }
  return progress;
}

function runStage(stage: Stage, progress: Progress, run: Run): Promise<Progress> {
  switch (stage.mode) {
    case 'operator':
      return runOperatorStage(stage, progress, run);
    case 'parallel':
      return runParallelStage(stage, progress, run);
    case 'rolling':
      return runRollingStage(stage, progress, run);
  }
}
