/** quorate bootstrap: from an inventory to a healthy cluster; nothing to do on one that is. */
import { QuorateError } from '../domain/errors.ts';
import { isEmpty, type Plan } from '../domain/plan.ts';
import { counted } from '../domain/plural.ts';
import { planBootstrap } from '../plan/bootstrap.ts';
import { differenceOfPlans, readSavedPlan } from '../plan/saved-plan.ts';
import { flag, type Ports, type Session, type Verb, value } from './command.ts';

export const bootstrap: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: true });
  try {
    const plan = planBootstrap(session.view);
    if (!isEmpty(plan)) await session.preflight();
    await checkSavedPlan(plan, value(invocation, 'plan'), ports);
    await session.show(plan, ports.ui.mode === 'json' ? 'stderr' : 'stdout');
    if (isEmpty(plan)) {
      if (ports.ui.mode === 'json') ports.ui.json({ changed: false, plan: session.toJson(plan) });
      return 0;
    }
    await confirmPlan(flag(invocation, 'yes'), cluster.name, ports);
    await session.apply(plan, planBootstrap);
    await verifyEmpty(session, ports);
    if (ports.ui.mode === 'json') ports.ui.json({ changed: true, plan: session.toJson(plan) });
    return 0;
  } finally {
    await session.close();
  }
};

async function checkSavedPlan(plan: Plan, path: string | undefined, ports: Ports): Promise<void> {
  if (path === undefined) return;
  const saved = readSavedPlan(await ports.files.read(path), path);
  const difference = differenceOfPlans(saved, plan);
  if (difference === undefined) return;
  throw new QuorateError('stale-plan', `${path}: ${difference}`, {
    hint: 'look at a fresh one: quorate plan bootstrap -i FILE --out PLAN',
  });
}

async function confirmPlan(yes: boolean, cluster: string, ports: Ports): Promise<void> {
  if (yes) return;
  const answer = await ports.ui.confirm({ question: `Bootstrap ${cluster}?`, expect: 'yes', instead: '--yes' });
  if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
}

/** Planning again must find nothing. */
async function verifyEmpty(session: Session, ports: Ports): Promise<void> {
  const again = planBootstrap(await session.refresh());
  if (!isEmpty(again)) {
    const left = again.stages.flatMap((each) => each.steps).map((each) => each.id);
    throw new QuorateError(
      'step-failed',
      `planning again still finds ${counted(left.length, 'step')}: ${left.slice(0, 3).join(', ')}`,
      {
        hint: 'run the same command again; when it stays so, please report it',
      },
    );
  }
  ports.ui.note('verified: nothing to do');
}
