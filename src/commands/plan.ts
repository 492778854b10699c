/** quorate plan: what would change, and why; changes nothing. */
import { QuorateError } from '../domain/errors.ts';
import { isEmpty, type Plan } from '../domain/plan.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { planBootstrap } from '../plan/bootstrap.ts';
import { planDrift } from '../plan/drift.ts';
import { planReset } from '../plan/reset.ts';
import { planRotate } from '../plan/rotate.ts';
import type { View } from '../plan/view.ts';
import { rotateWish } from './certs-rotate.ts';
import { flag, type Invocation, type Verb, value, values } from './command.ts';

export const plan: Verb = async (invocation, ports) => {
  const planner = chooseVerb(invocation);
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, {
    endpoints: true,
    requireAll: values(invocation, 'member').length === 0,
  });
  try {
    const made = planner(session.view);
    if (made.verb === 'bootstrap' && !isEmpty(made)) await session.preflight();
    const out = value(invocation, 'out');
    if (out !== undefined) {
      const text = `${JSON.stringify(session.toJson(made), undefined, 2)}\n`;
      await ports.files.write(out, text, { mode: 0o600, replace: true });
    }
    if (ports.ui.mode === 'json') ports.ui.json(session.toJson(made));
    else await session.show(made, 'stdout');
    return flag(invocation, 'exitCode') && !isEmpty(made) ? 2 : 0;
  } finally {
    await session.close();
  }
};

function chooseVerb(invocation: Invocation): (view: View) => Plan {
  const verb = invocation.args.join(' ');
  switch (verb) {
    case '':
      return planAny;
    case 'bootstrap':
      return planBootstrap;
    case 'reset':
      return (view) => planReset(view, { deleteData: false, lostStore: undefined });
    case 'certs rotate': {
      const wish = rotateWish(invocation);
      return (view) => planRotate(view, wish);
    }
    default:
      throw new QuorateError('usage', `plan: there is no plan for "${verb}"`, {
        hint: 'one of: bootstrap, reset, certs rotate',
      });
  }
}

/** Bootstrap where there is no cluster yet, drift where there is one. Throws as {@link planBootstrap} does. */
export function planAny(view: View): Plan {
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  return verdict.kind === 'formed' && verdict.unmarked.length === 0 ? planDrift(view) : planBootstrap(view);
}
