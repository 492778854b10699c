/** A check of a running cluster: what was looked at, what was seen, and how it is to be taken. */

export type CheckState = 'ok' | 'warning' | 'critical' | 'skipped';

export interface Check {
  /** Stable: `members`, `divergence`. */
  readonly id: string;
  /** What would be right. */
  readonly title: string;
  readonly state: CheckState;
  /** In a few words. */
  readonly seen: string;
  /** One sentence for each thing that is not as it should be, or why it was skipped. */
  readonly details: readonly string[];
}

/** The worst of all. */
export function worstState(checks: readonly Pick<Check, 'state'>[]): 'ok' | 'warning' | 'critical' {
  if (checks.some((each) => each.state === 'critical')) return 'critical';
  return checks.some((each) => each.state === 'warning') ? 'warning' : 'ok';
}

/** 0 ok, 2 warnings, 3 critical. */
export function checksStatus(checks: readonly Pick<Check, 'state'>[]): number {
  return { ok: 0, warning: 2, critical: 3 }[worstState(checks)];
}

/** A check that is ok where nothing is wrong. */
export function judged(
  check: Pick<Check, 'id' | 'title' | 'seen'>,
  { state, details }: { readonly state: 'warning' | 'critical'; readonly details: readonly string[] },
): Check {
  return { ...check, state: details.length === 0 ? 'ok' : state, details };
}
