/** Runs a plan: stage by stage, each step only while it is still needed, each proved done by fresh facts before the next stage. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { Facts, HostFacts } from '../domain/facts.ts';
import type { Plan, Stage } from '../domain/plan.ts';
import type { Step } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import { type HostStepKind, isHostStep, need } from '../plan/need.ts';
import { guard } from './guard.ts';
import { runHostStage } from './host-stage.ts';
import type { ExecutorPorts, IssuedLeaves } from './ports.ts';

/** What a run knows while it goes on; replaced, never edited. */
interface Progress {
  readonly facts: Facts;
  readonly issued: Readonly<Record<string, IssuedLeaves>>;
}

/**
 * Runs every stage of `plan` in order under the lock `token` and returns the last facts of every host.
 * @throws QuorateError step-failed, refused (the guard), unreachable, interrupted. Running the same command again goes on.
 */
export async function execute(plan: Plan, first: Facts, token: string, ports: ExecutorPorts): Promise<Facts> {
  let progress: Progress = { facts: first, issued: {} };
  for (const stage of plan.stages) {
    stopIfAsked(stage, ports);
    const since = ports.now();
    const hosts = [...new Set(stage.steps.map((each) => each.host))];
    const steps = Object.fromEntries(
      hosts.map((host) => [host, stage.steps.filter((step) => step.host === host).length]),
    );
    ports.emit({ type: 'stage-start', stage: stage.id, title: stage.title, hosts, steps });
    progress = await runStage(stage, progress, token, ports);
    ports.emit({ type: 'stage-done', stage: stage.id, elapsedMs: ports.now() - since });
    crashAt(ports, `stage:${stage.id}`);
  }
  return progress.facts;
}

async function runStage(stage: Stage, progress: Progress, token: string, ports: ExecutorPorts): Promise<Progress> {
  if (stage.mode === 'operator') return runOperatorStage(stage, progress, ports);
  const view = ports.view(progress.facts, await ports.operator.pki());
  const cut = cutAtFailpoint(stage.steps, ports.failpoint);
  const work = groupByHost(cut.filter((step) => isHostStep(step))).map(([host, steps]) => ({
    host,
    steps: steps.filter((step) => stillNeeded(stage, step, view, ports)),
  }));
  for (const { steps } of work) for (const step of steps) guard(step, view);
  const settled = await Promise.allSettled(
    work
      .filter(({ steps }) => steps.length > 0)
      .map(async ({ host, steps }) => {
        const connection = ports.connections[host];
        if (connection === undefined) throw new QuorateError('unreachable', `${host}: not connected`, { host });
        const issued = progress.issued[host] ?? {};
        return runHostStage({ stage: stage.id, connection, steps, view, issued, token }, ports);
      }),
  );
  const errors = settled.flatMap((each) => (each.status === 'rejected' ? [asQuorateError(each.reason)] : []));
  if (errors.length > 0) throw combineErrors(`stage "${stage.title}" failed on ${errors.length} hosts`, errors);
  if (stage.steps.some((each) => each.id === ports.failpoint)) process.kill(process.pid, 'SIGKILL');
  const seen = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const facts = withHosts(progress.facts, seen, ports.now());
  await proveDone(stage, facts, ports);
  return { ...progress, facts };
}

async function runOperatorStage(stage: Stage, progress: Progress, ports: ExecutorPorts): Promise<Progress> {
  const requests = stage.steps.filter((step): step is Step<'cert.issue'> => step.kind === 'cert.issue');
  let issued = progress.issued;
  if (requests.length > 0) {
    const view = ports.view(progress.facts, await ports.operator.pki());
    const since = ports.now();
    issued = { ...issued, ...(await ports.operator.issue(requests, view)) };
    for (const step of requests) done(stage, step, since, ports);
  }
  for (const step of stage.steps) {
    if (step.kind === 'cert.issue') continue;
    const view = ports.view(progress.facts, await ports.operator.pki());
    const since = ports.now();
    ports.emit({ type: 'step-start', stage: stage.id, host: step.host, text: describe(step).text });
    await ports.operator.perform(step, view, ports.signal);
    done(stage, step, since, ports);
    crashAt(ports, step.id);
  }
  for (const step of requests) crashAt(ports, step.id);
  return { ...progress, issued };
}

function done(stage: Stage, step: Step, since: number, ports: ExecutorPorts): void {
  const { text } = describe(step);
  ports.emit({ type: 'step-done', stage: stage.id, host: step.host, text, elapsedMs: ports.now() - since });
}

function stillNeeded(
  stage: Stage,
  step: Step<HostStepKind>,
  view: Parameters<typeof need>[1],
  ports: ExecutorPorts,
): boolean {
  const found = need(step, view);
  if (!found.needed) {
    const { text } = describe(step);
    ports.emit({ type: 'step-skipped', stage: stage.id, host: step.host, text, reason: found.reason });
  }
  return found.needed;
}

/** Fresh facts must say that no step of the stage is needed any more: that is every effect's verification. */
async function proveDone(stage: Stage, facts: Facts, ports: ExecutorPorts): Promise<void> {
  const view = ports.view(facts, await ports.operator.pki());
  const errors = stage.steps.filter(isHostStep).flatMap((step) => {
    const found = need(step, view);
    if (!found.needed) return [];
    const message = `${step.host}: ${describe(step).text}: done, and still ${found.reason}`;
    return [new QuorateError('step-failed', message, { host: step.host, step: step.id })];
  });
  if (errors.length > 0) throw combineErrors(`stage "${stage.title}" did not have its effect`, errors);
}

function groupByHost<S extends Step>(steps: readonly S[]): readonly (readonly [string, readonly S[]])[] {
  const groups = new Map<string, S[]>();
  for (const step of steps) groups.set(step.host, [...(groups.get(step.host) ?? []), step]);
  return [...groups];
}

function withHosts(facts: Facts, seen: readonly HostFacts[], now: number): Facts {
  const hosts = { ...facts.hosts, ...Object.fromEntries(seen.map((each) => [each.host, each])) };
  return { ...facts, hosts, observedAt: now };
}

function stopIfAsked(stage: Stage, ports: ExecutorPorts): void {
  if (!ports.stopRequested()) return;
  throw new QuorateError('interrupted', `stopped before "${stage.title}", as asked`, {
    hint: 'run the same command again: it goes on from here',
  });
}

/** Test hook: the steps of a host up to the failpoint; all of them where it lies elsewhere. */
function cutAtFailpoint(steps: readonly Step[], failpoint: string | undefined): readonly Step[] {
  const found = steps.find((step) => step.id === failpoint);
  if (found === undefined) return steps;
  const own = steps.filter((step) => step.host === found.host);
  const kept = own.slice(0, own.indexOf(found) + 1);
  return steps.filter((step) => step.host !== found.host || kept.includes(step));
}

function crashAt(ports: ExecutorPorts, point: string): void {
  if (ports.failpoint === point) process.kill(process.pid, 'SIGKILL');
}

function asQuorateError(error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  throw error;
}
