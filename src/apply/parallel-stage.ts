/** A stage on all of its hosts at once, and what the operator has to do beside them. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import type { Stage } from '../domain/plan.ts';
import { counted } from '../domain/plural.ts';
import { OPERATOR } from '../domain/step.ts';
import type { View } from '../plan/view.ts';
import { countsVoters, guard } from './guard.ts';
import { runHostStage } from './host-stage.ts';
import { runOperatorStage } from './operator-stage.ts';
import {
  asQuorateError,
  crashAt,
  cutAtFailpoint,
  groupByHost,
  type HostStep,
  hostSteps,
  type Progress,
  type Run,
  stillNeeded,
  undone,
  viewNow,
  withHosts,
} from './run.ts';

/**
 * The guard judges the disruptive steps of all hosts together, by endpoints that were asked just before. The operator's own steps know nothing of what hosts
 * become meanwhile.
 * @throws QuorateError every host that failed
 */
export async function runParallelStage(stage: Stage, progress: Progress, run: Run): Promise<Progress> {
  const { ports, permits } = run;
  const cut = cutAtFailpoint(hostSteps(stage), ports.failpoint);
  const known = await viewNow(progress.facts, run);
  const counts = countsVoters(cut, { view: known, mode: 'parallel', permits });
  const before = counts ? await ports.look(progress.facts, Object.keys(ports.connections)) : progress.facts;
  const view = counts ? await viewNow(before, run) : known;
  const needed = stillNeeded(stage, cut, { view, run });
  guard(needed, { view, mode: 'parallel', permits });
  const seen = await runAll(stage, needed, { view, progress, run });
  crashAt(ports, ...stage.steps.map((each) => each.id));
  const facts = withHosts(before, seen, ports.now());
  const errors = undone(stage.steps, await viewNow(facts, run));
  if (errors.length > 0) throw combineErrors(`stage "${stage.title}" did not have its effect`, errors);
  return { ...progress, facts, latest: seen.map((each) => each.host) };
}

async function runAll(
  stage: Stage,
  needed: readonly HostStep[],
  context: { readonly view: View; readonly progress: Progress; readonly run: Run },
): Promise<readonly HostFacts[]> {
  const own = { ...stage, steps: stage.steps.filter(({ host }) => host === OPERATOR) };
  const [here, ...settled] = await Promise.allSettled([
    runOperatorStage(own, context.progress, context.run),
    ...groupByHost(needed).map(([host, steps]) => runOnHost(stage, { host, steps }, context)),
  ]);
  const errors = [here, ...settled].flatMap((each) =>
    each.status === 'rejected' ? [asQuorateError(each.reason)] : [],
  );
  if (errors.length > 0) throw combineErrors(`stage "${stage.title}" failed ${failedWhere(here, settled)}`, errors);
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

function failedWhere(here: PromiseSettledResult<unknown>, hosts: readonly PromiseSettledResult<unknown>[]): string {
  const failed = hosts.filter(({ status }) => status === 'rejected').length;
  const places = [
    ...(here.status === 'rejected' ? ['with the operator'] : []),
    ...(failed > 0 ? [`on ${counted(failed, 'host')}`] : []),
  ];
  return places.join(' and ');
}

/** Runs a host's steps as one script; what the host is afterwards. */
export async function runOnHost(
  stage: Stage,
  { host, steps }: { readonly host: string; readonly steps: readonly HostStep[] },
  { view, progress, run }: { readonly view: View; readonly progress: Progress; readonly run: Run },
): Promise<HostFacts> {
  const { ports, token } = run;
  const connection = ports.connections[host];
  if (connection === undefined) throw new QuorateError('unreachable', `${host}: not connected`, { host });
  ports.requireLock();
  const issued = progress.issued[host] ?? {};
  return runHostStage({ stage: stage.id, connection, steps, view, issued, token }, ports);
}
