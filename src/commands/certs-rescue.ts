/** quorate certs rescue: brings a cluster back that is down because certificates, or the authorities themselves, have expired. */
import { planRescue } from '../plan/rescue.ts';
import { applyPlan } from './apply-plan.ts';
import type { Verb } from './command.ts';

export const certsRescue: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: false });
  try {
    const run = {
      planner: planRescue,
      question: `Give all members of ${cluster.name} new certificates at once?`,
      left: planRescue,
    };
    return await applyPlan(session, run, invocation, ports);
  } finally {
    await session.close();
  }
};
