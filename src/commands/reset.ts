/** quorate reset: stops and removes what quorate put on the hosts; data is moved aside unless its deletion is asked for. */
import { QuorateError } from '../domain/errors.ts';
import { isEmpty, type Plan } from '../domain/plan.ts';
import { planReset } from '../plan/reset.ts';
import type { View } from '../plan/view.ts';
import { flag, type Verb, value } from './command.ts';

export const reset: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const named = value(invocation, 'yesDestroy');
  if (named !== undefined && named !== cluster.name) {
    throw new QuorateError('refused', `--yes-destroy ${named}: this inventory's cluster is ${cluster.name}`, {
      hint: 'check that this is the inventory that you mean',
    });
  }
  const session = await ports.session(cluster, { endpoints: false, requireAll: true });
  try {
    const wish = { deleteData: flag(invocation, 'deleteData'), lostStore: value(invocation, 'lostStore') };
    const planner = (view: View): Plan => planReset(view, wish);
    const plan = planner(session.view);
    await session.show(plan, 'stdout');
    if (!isEmpty(plan)) {
      if (named === undefined) {
        const answer = await ports.ui.confirm({
          question: `This ends the cluster ${cluster.name}.`,
          expect: cluster.name,
          instead: `--yes-destroy ${cluster.name}`,
        });
        if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
      }
      await session.apply({ ...plan, permits: { ending: cluster.name } }, planner);
    }
    if (ports.ui.mode === 'json') ports.ui.json({ changed: !isEmpty(plan), plan: session.toJson(plan) });
    ports.ui.note(
      `the state directory ${cluster.stateDir} stays: it holds the authorities; remove it by hand when you are sure`,
    );
    return 0;
  } finally {
    await session.close();
  }
};
