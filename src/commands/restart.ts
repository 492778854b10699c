/** quorate restart: restarts members one after another. */
import type { Plan } from '../domain/plan.ts';
import { planRestart, type RestartWish, restartLeft } from '../plan/restart.ts';
import type { View } from '../plan/view.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Verb, values } from './command.ts';

export const restart: Verb = async (invocation, ports) => {
  const wish = restartWish(invocation, { required: true });
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: false, settled: true });
  try {
    const run = {
      planner: (view: View): Plan => planRestart(view, wish),
      question: `Restart ${cluster.name}?`,
      left: (view: View, plan: Plan): Plan => restartLeft(view, wish, plan),
    };
    return await applyPlan(session, run, invocation, ports);
  } finally {
    await session.close();
  }
};

/** What the options ask for; a plan that is only shown does not require the flag for downtime. */
export function restartWish(invocation: Invocation, { required }: { readonly required: boolean }): RestartWish {
  return {
    members: values(invocation, 'member'),
    downtime: { allowed: flag(invocation, 'allowDowntime'), required },
  };
}
