/** quorate apply: brings a running cluster to the inventory, one member after another. */
import { QuorateError } from '../domain/errors.ts';
import { withDeparting } from '../domain/membership.ts';
import type { Plan } from '../domain/plan.ts';
import { type ApplyPart, type ApplyWish, applyParts, planApply } from '../plan/apply.ts';
import type { View } from '../plan/view.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Verb, values } from './command.ts';
import { patienceOf } from './member-wish.ts';

export const apply: Verb = async (invocation, ports) => {
  const wish = applyWish(invocation, { required: true });
  const inventory = await ports.cluster();
  const cluster = withDeparting(inventory, inventory.absent ?? []);
  const session = await ports.session(cluster, {
    endpoints: true,
    requireAll: false,
    settled: true,
    versions: 'inventory',
  });
  try {
    const planner = (view: View): Plan => planApply(view, wish);
    const run = { planner, question: `Apply this to ${cluster.name}?`, left: planner };
    return await applyPlan(session, run, invocation, ports);
  } finally {
    await session.close();
  }
};

/** What the options ask for; a plan that is only shown does not require the flag for downtime. @throws QuorateError usage */
export function applyWish(invocation: Invocation, { required }: { readonly required: boolean }): ApplyWish {
  const only = values(invocation, 'only').flatMap((each) => each.split(','));
  return {
    only: applyParts.filter((each) => only.map(partOf).includes(each)),
    members: values(invocation, 'member'),
    remove: values(invocation, 'remove'),
    stallMs: patienceOf(invocation),
    downtime: { allowed: flag(invocation, 'allowDowntime'), required },
    accepted: values(invocation, 'acceptHazard'),
  };
}

function partOf(text: string): ApplyPart {
  const found = applyParts.find((each) => each === text);
  if (found !== undefined) return found;
  throw new QuorateError('usage', `--only ${text}: there is no such part`, {
    hint: `any of ${applyParts.join(', ')}, separated by commas`,
  });
}
