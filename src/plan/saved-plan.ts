/** Saved plans: written by `plan --out`, accepted only while planning afresh gives the same steps. */
import { QuorateError } from '../domain/errors.ts';
import type { Plan } from '../domain/plan.ts';

/** What a saved plan is bound to. */
export interface SavedPlan {
  readonly verb: string;
  readonly cluster: string;
  readonly inventoryHash: string;
  readonly version: string;
  /** The stages as canonical JSON, without the reasons of their steps. */
  readonly stages: string;
}

/** quorate's own version: a plan is bound to the version that made it. */
export const TOOL_VERSION = '0.1.0';

/** The plan as a JSON value: what is shown, saved and compared. Steps hold no secret: the token is a placeholder in them. */
export function planToJson(plan: Plan): Readonly<Record<string, unknown>> {
  const { verb, cluster, inventoryHash, stages, warnings, reasons } = plan;
  return { format: 'quorate-plan/1', version: TOOL_VERSION, verb, cluster, inventoryHash, stages, warnings, reasons };
}

/** @throws QuorateError usage where the text is no saved plan. */
export function readSavedPlan(text: string, path: string): SavedPlan {
  const parsed = parse(text);
  if (parsed?.['format'] !== 'quorate-plan/1') {
    throw new QuorateError('usage', `${path}: is no plan of quorate`, {
      hint: 'make one: quorate plan VERB -i FILE --out FILE',
    });
  }
  const field = (name: string): string => String(parsed[name] ?? '');
  return {
    verb: field('verb'),
    cluster: field('cluster'),
    inventoryHash: field('inventoryHash'),
    version: field('version'),
    stages: stepsText(parsed['stages']),
  };
}

/** Why `saved` no longer holds, in words; undefined while it does. */
export function differenceOfPlans(saved: SavedPlan, fresh: Plan): string | undefined {
  if (saved.version !== TOOL_VERSION) return `was made by quorate ${saved.version}, and this is ${TOOL_VERSION}`;
  if (saved.verb !== fresh.verb) return `is a plan for ${saved.verb}, not for ${fresh.verb}`;
  if (saved.cluster !== fresh.cluster) return `is a plan for the cluster ${saved.cluster}, not for ${fresh.cluster}`;
  if (saved.inventoryHash !== fresh.inventoryHash) return 'the inventory has changed since it was made';
  if (saved.stages !== stepsText(fresh.stages))
    return 'the hosts have changed since it was made: its steps are no longer those needed';
  return undefined;
}

/** Whether both would do the same. */
export function sameSteps(one: Plan, other: Plan): boolean {
  return stepsText(one.stages) === stepsText(other.stages);
}

/** A step's reason is volatile: that of a member which systemd starts again and again is another one at each look. */
function stepsText(stages: unknown): string {
  return JSON.stringify(stages, (key, each: unknown) => (key === 'why' ? undefined : each));
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
