/** One member's turn as data, and what its steps mean for the gate. */
import type { Stage } from '../domain/plan.ts';
import type { HostStep } from './run.ts';

export interface Turn {
  readonly stage: Stage;
  readonly host: string;
  readonly steps: readonly HostStep[];
}

/** Whether these steps restart their member. */
export function restarts(steps: readonly HostStep[]): boolean {
  return steps.some((each) => each.kind === 'unit.restart');
}

/** The version that a member is to run after these steps; undefined where it stays as it is. */
export function versionAfter(steps: readonly HostStep[]): string | undefined {
  return steps.flatMap((each) => (each.kind === 'unit.restart' ? (each.version ?? []) : []))[0];
}

/** Whether what a member serves, or whom it trusts, is another after these steps. */
export function changesServed(steps: readonly HostStep[]): boolean {
  return steps.some((each) => each.kind === 'pki.switch' || (each.kind === 'unit.restart' && each.trust !== undefined));
}
