/** quorate plan: what would change, and why; changes nothing. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { isEmpty, type Plan } from '../domain/plan.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { planBootstrap } from '../plan/bootstrap.ts';
import { planDrift } from '../plan/drift.ts';
import { requirePermittedNames } from '../plan/permitted-names.ts';
import { planRescue } from '../plan/rescue.ts';
import { planReset } from '../plan/reset.ts';
import { planRotate } from '../plan/rotate.ts';
import { planRotateCa } from '../plan/rotate-ca.ts';
import type { View } from '../plan/view.ts';
import { rotateWish } from './certs-rotate.ts';
import { rotateCaWish } from './certs-rotate-ca.ts';
import { flag, type Invocation, type Ports, type Verb, value, values } from './command.ts';

export const plan: Verb = async (invocation, ports) => {
  const planOf = chooseVerb(invocation);
  const cluster = await ports.cluster();
  const planner = await planOf(cluster, ports);
  const session = await ports.session(cluster, {
    endpoints: true,
    requireAll: values(invocation, 'member').length === 0,
  });
  try {
    const made = planner(session.view);
    requirePermittedNames(session.view, made);
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

type Planner = (view: View) => Plan;

/** What is wrong with the command line is told before anything is read. */
function chooseVerb(invocation: Invocation): (cluster: Cluster, ports: Ports) => Promise<Planner> {
  const verb = invocation.args.join(' ');
  switch (verb) {
    case '':
      return async () => planAny;
    case 'bootstrap':
      return async () => planBootstrap;
    case 'reset':
      return async () => (view) => planReset(view, { deleteData: false, lostStore: undefined });
    case 'certs rotate': {
      const wish = rotateWish(invocation);
      return async () => (view) => planRotate(view, wish);
    }
    case 'certs rescue':
      return async () => planRescue;
    case 'certs rotate-ca':
      return async (cluster, ports) => {
        const wish = await rotateCaWish(invocation, cluster, ports);
        return (view) => planRotateCa(view, wish);
      };
    default:
      throw new QuorateError('usage', `plan: there is no plan for "${verb}"`, {
        hint: 'one of: bootstrap, reset, certs rotate, certs rotate-ca, certs rescue',
      });
  }
}

/** Bootstrap where there is no cluster yet, drift where there is one. Throws as {@link planBootstrap} does. */
export function planAny(view: View): Plan {
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  return verdict.kind === 'formed' && verdict.unmarked.length === 0 ? planDrift(view) : planBootstrap(view);
}
