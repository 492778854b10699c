/** A plan: stages of steps, as data. Made by pure functions, shown, saved, and run as it stands. */
import type { Draft, Step } from './step.ts';

export interface Stage {
  /** Short and stable: `prepare`, `start`. */
  readonly id: string;
  readonly title: string;
  /**
   * `parallel`: all hosts at once, and beside them, in order, what is the operator's. `rolling`: one member at a time, those that do not serve first and the leader last, each behind the guard and followed by
   * the gate; a host's steps are one script. `operator`: here, in order.
   */
  readonly mode: 'parallel' | 'rolling' | 'operator';
  readonly steps: readonly Step[];
}

/** What the operator allowed for one run, by a flag or by a name that was asked for; the guard refuses it otherwise. */
export interface Permits {
  /** `--allow-downtime`: one or two members cannot be restarted without. */
  readonly downtime?: boolean;
  /** The name of the cluster that is to end: its members may be stopped for good. */
  readonly ending?: string;
}

export interface Plan {
  readonly verb: string;
  readonly cluster: string;
  /** sha256 of the inventory that it was made from. */
  readonly inventoryHash: string;
  readonly stages: readonly Stage[];
  readonly warnings: readonly string[];
  /** Why nothing is to do, host by host, where nothing is. */
  readonly reasons: readonly Reason[];
  readonly permits?: Permits;
}

export interface Reason {
  readonly host: string;
  readonly reason: string;
}

/** A stage of drafts, sorted by host (a host's own steps keep their order), each with its id. */
export function stage(id: string, title: string, mode: Stage['mode'], drafts: readonly Draft[]): Stage {
  const seen = new Map<string, number>();
  const sorted = drafts.map((draft, index) => ({ draft, index }));
  sorted.sort((a, b) => compareText(a.draft.host, b.draft.host) || a.index - b.index);
  const steps = sorted.map(({ draft }): Step => {
    const base = `${id}/${draft.host}/${draft.kind}${qualifier(draft)}`;
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    return { ...draft, id: count === 1 ? base : `${base}#${count}` };
  });
  return { id, title, mode, steps };
}

/** The plan without stages that have nothing in them. */
export function dropEmptyStages(plan: Plan): Plan {
  return { ...plan, stages: plan.stages.filter((each) => each.steps.length > 0) };
}

export function isEmpty(plan: Plan): boolean {
  return plan.stages.every((each) => each.steps.length === 0);
}

/** Byte order, the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function qualifier(draft: Draft): string {
  if ('path' in draft) return `:${draft.path}`;
  if ('member' in draft && draft.kind.startsWith('member.')) return `:${draft.member}`;
  return draft.kind === 'cert.issue' ? `:${draft.member}` : '';
}
