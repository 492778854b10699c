/** The way of every verb that changes hosts: show, confirm, lock and apply, and see that nothing is left. */
import { QuorateError } from '../domain/errors.ts';
import { isEmpty, type Plan } from '../domain/plan.ts';
import { counted } from '../domain/plural.ts';
import { requirePermittedNames } from '../plan/permitted-names.ts';
import { differenceOfPlans, readSavedPlan } from '../plan/saved-plan.ts';
import type { View } from '../plan/view.ts';
import { flag, type Invocation, type Ports, type Session, value } from './command.ts';

export interface PlannedRun {
  readonly planner: (view: View) => Plan;
  /** `Bootstrap prod?` */
  readonly question: string;
  /** false: what stands in the way of building a member on these hosts is no obstacle to it. */
  readonly preflight?: false;
  /** What a run that did `plan` has left undone. */
  readonly left: (view: View, plan: Plan) => Plan;
}

/**
 * Runs the plan, with `--plan FILE` only while that is still the plan, and without `--yes` only after a question.
 * @throws QuorateError stale-plan, interrupted where it was not confirmed, step-failed where something is left, and what the session throws
 */
export async function applyPlan(
  session: Session,
  run: PlannedRun,
  invocation: Invocation,
  ports: Ports,
): Promise<number> {
  const plan = run.planner(session.view);
  requirePermittedNames(session.view, plan);
  if (!isEmpty(plan) && run.preflight !== false) await session.preflight();
  await checkSavedPlan(plan, value(invocation, 'plan'), ports);
  await session.show(plan, ports.ui.mode === 'json' ? 'stderr' : 'stdout');
  if (!isEmpty(plan)) {
    await confirmPlan(flag(invocation, 'yes'), run.question, ports);
    await session.apply(plan, run.planner);
    verifyDone(run.left(await session.refresh(), plan), ports);
  }
  if (ports.ui.mode === 'json') ports.ui.json({ changed: !isEmpty(plan), plan: session.toJson(plan) });
  return 0;
}

async function checkSavedPlan(plan: Plan, path: string | undefined, ports: Ports): Promise<void> {
  if (path === undefined) return;
  const saved = readSavedPlan(await ports.files.read(path), path);
  const difference = differenceOfPlans(saved, plan);
  if (difference === undefined) return;
  throw new QuorateError('stale-plan', `${path}: ${difference}`, {
    hint: `look at a fresh one: quorate plan ${plan.verb} -i FILE --out PLAN`,
  });
}

async function confirmPlan(yes: boolean, question: string, ports: Ports): Promise<void> {
  if (yes) return;
  const answer = await ports.ui.confirm({ question, expect: 'yes', instead: '--yes' });
  if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
}

/** Planning again must find nothing. */
function verifyDone(again: Plan, ports: Ports): void {
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
