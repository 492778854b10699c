/** What every stage of a run shares: its ports and permits, what is known by now, and the test hook. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts, HostFacts } from '../domain/facts.ts';
import type { Permits, Stage } from '../domain/plan.ts';
import type { Step } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import { type FactStepKind, type HostStepKind, isFactStep, isHostStep, need } from '../plan/need.ts';
import type { View } from '../plan/view.ts';
import type { ExecutorPorts, IssuedLeaves } from './ports.ts';

/** One run of a plan. */
export interface Run {
  readonly ports: ExecutorPorts;
  readonly permits: Permits;
  /** The lock's fencing token. */
  readonly token: string;
}

/** What a run knows while it goes on; replaced, never edited. */
export interface Progress {
  readonly facts: Facts;
  readonly issued: Readonly<Record<string, IssuedLeaves>>;
  /** Hosts whose facts are those of the end of their script in the stage that ran last. */
  readonly latest: readonly string[];
}

export type HostStep = Step<HostStepKind>;

/** A step of a member's turn: on its host, or about it in the cluster's list. */
export type TurnStep = Step<FactStepKind>;

/** The steps of a stage on hosts. */
export function hostSteps(stage: Stage): readonly HostStep[] {
  return stage.steps.filter((step): step is HostStep => isHostStep(step));
}

/** The steps of a rolling stage. */
export function turnSteps(stage: Stage): readonly TurnStep[] {
  return stage.steps.filter((step): step is TurnStep => isFactStep(step));
}

/** The view for these facts and the PKI as it is now. */
export async function viewNow(facts: Facts, { ports }: Run): Promise<View> {
  return ports.view(facts, await ports.operator.pki());
}

/** By host, in the order in which hosts first appear. */
export function groupByHost<S extends Step>(steps: readonly S[]): readonly (readonly [string, readonly S[]])[] {
  const groups = new Map<string, S[]>();
  for (const step of steps) groups.set(step.host, [...(groups.get(step.host) ?? []), step]);
  return [...groups];
}

/** Those steps that are still needed; the others are told as skipped. */
export function stillNeeded<S extends Step>(
  stage: Stage,
  steps: readonly S[],
  { view, run }: { readonly view: View; readonly run: Run },
): readonly S[] {
  return steps.filter((step) => {
    const found = need(step, view);
    if (!found.needed) {
      const { text } = describe(step);
      run.ports.emit({ type: 'step-skipped', stage: stage.id, host: step.host, text, reason: found.reason });
    }
    return found.needed;
  });
}

/** One error for each step that facts still call needed after it has run: that is every effect's verification. */
export function undone(steps: readonly Step[], view: View): readonly QuorateError[] {
  return steps.filter(isFactStep).flatMap((step) => {
    const found = need(step, view);
    if (!found.needed) return [];
    const message = `${step.host}: ${describe(step).text}: done, and still ${found.reason}`;
    return [new QuorateError('step-failed', message, { host: step.host, step: step.id })];
  });
}

/** Facts with what hosts told at the end of their scripts. */
export function withHosts(facts: Facts, seen: readonly HostFacts[], now: number): Facts {
  const hosts = { ...facts.hosts, ...Object.fromEntries(seen.map((each) => [each.host, each])) };
  return { ...facts, hosts, observedAt: now };
}

/** @throws QuorateError interrupted where the operator asked to stop; `before`: what does not begin any more. */
export function stopIfAsked(before: string, { ports }: Run): void {
  if (!ports.stopping.aborted) return;
  throw new QuorateError('interrupted', `stopped before ${before}, as asked`, {
    hint: 'run the same command again: it goes on from here',
  });
}

/** Test hook: the steps of a host up to the failpoint; all of them where it lies elsewhere. */
export function cutAtFailpoint<S extends Step>(steps: readonly S[], failpoint: string | undefined): readonly S[] {
  const found = steps.find((step) => step.id === failpoint);
  if (found === undefined) return steps;
  const own = steps.filter((step) => step.host === found.host);
  const kept = own.slice(0, own.indexOf(found) + 1);
  return steps.filter((step) => step.host !== found.host || kept.includes(step));
}

/** Test hook: ends the process where one of these points is the failpoint. */
export function crashAt(ports: ExecutorPorts, ...points: readonly string[]): void {
  if (ports.failpoint !== undefined && points.includes(ports.failpoint)) process.kill(process.pid, 'SIGKILL');
}

export function asQuorateError(error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  throw error;
}
