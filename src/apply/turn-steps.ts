/** One member's turn as data, and what its steps mean for the gate. */
import type { Stage } from '../domain/plan.ts';
import { isHostStep } from '../plan/need.ts';
import type { HostStep, TurnStep } from './run.ts';

export interface Turn {
  readonly stage: Stage;
  readonly host: string;
  readonly steps: readonly TurnStep[];
}

/** Whether these steps restart their member. */
export function restarts(steps: readonly TurnStep[]): boolean {
  return steps.some((each) => each.kind === 'unit.restart');
}

/** The version that a member is to run after these steps; undefined where it stays as it is. */
export function versionAfter(steps: readonly TurnStep[]): string | undefined {
  return steps.flatMap((each) => (each.kind === 'unit.restart' ? (each.version ?? []) : []))[0];
}

/** Whether what a member serves, or whom it trusts, is another after these steps. */
export function changesServed(steps: readonly TurnStep[]): boolean {
  return steps.some((each) => each.kind === 'pki.switch' || (each.kind === 'unit.restart' && each.trust !== undefined));
}

/** Whether a step runs in its host's script; the others tell the cluster's list. */
export function isScripted(step: TurnStep): step is HostStep {
  return isHostStep(step);
}
