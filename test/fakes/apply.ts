/** `apply` as most tests plan it, and what it says where it refuses. */
import { QuorateError } from '../../src/domain/errors.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { type ApplyWish, planApply } from '../../src/plan/apply.ts';
import type { View } from '../../src/plan/view.ts';

/** Everything, for all members, without downtime; or with these changes of the wish. */
export function planWhole(view: View, changes: Partial<ApplyWish> = {}): Plan {
  return planApply(view, {
    ...{ only: [], members: [], remove: [], stallMs: 60_000, downtime: { allowed: false, required: true } },
    ...changes,
  });
}

/** Codes, messages and hints, a line each; `not refused` where nothing is thrown. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof QuorateError)
      return [error, ...error.errors].map((each) => `${each.code}: ${each.message} — ${each.hint}`).join('\n');
    throw error;
  }
  return 'not refused';
}
