/** quorate stop: stops every member of a cluster that is named. */
import { QuorateError } from '../domain/errors.ts';
import { isEmpty } from '../domain/plan.ts';
import { planStop } from '../plan/stop.ts';
import { type Verb, value } from './command.ts';

export const stop: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const named = value(invocation, 'yesStop');
  if (named !== undefined && named !== cluster.name) {
    throw new QuorateError('refused', `--yes-stop ${named}: this inventory's cluster is ${cluster.name}`, {
      hint: 'check that this is the inventory that you mean',
    });
  }
  const session = await ports.session(cluster, { endpoints: false, requireAll: true });
  try {
    const plan = planStop(session.view);
    await session.show(plan, ports.ui.mode === 'json' ? 'stderr' : 'stdout');
    if (!isEmpty(plan)) {
      if (named === undefined) {
        const answer = await ports.ui.confirm({
          question: `This stops the cluster ${cluster.name}: nobody is served until it is started again.`,
          expect: cluster.name,
          instead: `--yes-stop ${cluster.name}`,
        });
        if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
      }
      await session.apply({ ...plan, permits: { ending: cluster.name } }, planStop);
    }
    if (ports.ui.mode === 'json') ports.ui.json({ changed: !isEmpty(plan), plan: session.toJson(plan) });
    return 0;
  } finally {
    await session.close();
  }
};
