/** quorate start: starts a stopped cluster, all members at once. */
import type { Plan } from '../domain/plan.ts';
import { planStart } from '../plan/start.ts';
import type { View } from '../plan/view.ts';
import { applyPlan } from './apply-plan.ts';
import { type Verb, values } from './command.ts';

export const start: Verb = async (invocation, ports) => {
  const wish = { members: values(invocation, 'member') };
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: false });
  try {
    const planner = (view: View): Plan => planStart(view, wish);
    return await applyPlan(session, { planner, question: `Start ${cluster.name}?`, left: planner }, invocation, ports);
  } finally {
    await session.close();
  }
};
