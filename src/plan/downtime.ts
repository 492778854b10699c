/** A cluster of one or two has no quorum while a member of it is down: that is accepted by a flag alone. Pure. */
import { QuorateError } from '../domain/errors.ts';
import type { Plan } from '../domain/plan.ts';
import { object } from '../domain/quorum.ts';
import { votersOf } from '../domain/voters.ts';
import type { View } from './view.ts';

/** `required`: without the flag it is refused here; or else the plan only warns (it is shown, and not run). */
export interface DowntimeWish {
  readonly allowed: boolean;
  readonly required: boolean;
}

/**
 * The plan with the permit that it needs, and a warning.
 * @throws QuorateError refused where a member that serves would be restarted, and the others are no quorum
 */
export function withDowntime(view: View, plan: Plan, { allowed, required }: DowntimeWish): Plan {
  const voters = votersOf(view.cluster, view.facts);
  const restarted = plan.stages.flatMap(({ steps }) => steps.filter((step) => step.kind === 'unit.restart'));
  const down = restarted.find(({ host }) => object(voters, { kind: 'stop', member: host, allowDowntime: false }));
  if (voters.length > 2 || down === undefined) return plan;
  const text = `the cluster is down while ${down.host} restarts: it is ${voters.length === 1 ? 'its only member' : 'one of two'}`;
  if (!allowed && required) {
    throw new QuorateError('refused', text, { host: down.host, hint: 'add --allow-downtime to accept that' });
  }
  const warnings = [...plan.warnings, allowed ? text : `${text} (needs --allow-downtime)`];
  return { ...plan, warnings, ...(allowed ? { permits: { ...plan.permits, downtime: true } } : {}) };
}
