/** quorate plan: what would change, and why; changes nothing. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { withDeparting } from '../domain/membership.ts';
import { isEmpty, type Plan } from '../domain/plan.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { type ApplyWish, planApply } from '../plan/apply.ts';
import { planBootstrap } from '../plan/bootstrap.ts';
import { planExternalInstall } from '../plan/external-install.ts';
import { requireUnchanged } from '../plan/fixed-settings.ts';
import { requirePermittedNames } from '../plan/permitted-names.ts';
import { planRescue } from '../plan/rescue.ts';
import { planReset } from '../plan/reset.ts';
import { planRestart } from '../plan/restart.ts';
import { planRotate } from '../plan/rotate.ts';
import { planRotateCa } from '../plan/rotate-ca.ts';
import { planStart } from '../plan/start.ts';
import { planStop } from '../plan/stop.ts';
import { planVersion } from '../plan/upgrade.ts';
import type { View } from '../plan/view.ts';
import { applyWish } from './apply.ts';
import { installWish } from './certs-ca-external.ts';
import { rotateWish } from './certs-rotate.ts';
import { rotateCaWish } from './certs-rotate-ca.ts';
import { flag, type Invocation, type Ports, type SessionWish, type Verb, value, values } from './command.ts';
import { memberRun, memberWord } from './member-wish.ts';
import { restartWish } from './restart.ts';
import { versionWish } from './upgrade.ts';

export const plan: Verb = async (invocation, ports) => {
  const planOf = chooseVerb(invocation);
  const word = memberWord(invocation);
  const versions = versionsOf(invocation);
  const wanted = await (versions === 'any' ? ports.clusterAt(undefined) : ports.cluster());
  const run = word && memberRun(word, { ...invocation, args: invocation.args.slice(2) }, wanted);
  const cluster = run?.cluster ?? (applies(invocation) ? withDeparting(wanted, wanted.absent ?? []) : wanted);
  const planner = run?.planner ?? (await planOf(cluster, ports));
  const session = await ports.session(cluster, {
    endpoints: true,
    requireAll:
      run === undefined && values(invocation, 'member').length === 0 && !teaching.includes(invocation.args[0] ?? ''),
    ...(versions === undefined ? {} : { versions }),
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

/** Verbs whose planners say themselves what to do about hosts that cannot be reached. */
const teaching: readonly string[] = ['apply', 'restart', 'start'];

/** Verbs that take controllers with `state: absent` for hosts whose members are to leave. */
function applies({ args }: Invocation): boolean {
  return args.length === 0 || args[0] === 'apply';
}

/** What the planner asks of other versions: the inventory's may be one that is left because it is dangerous where another one is named. */
function versionsOf(invocation: Invocation): SessionWish['versions'] {
  if (['upgrade', 'downgrade'].includes(invocation.args.join(' '))) return 'any';
  return applies(invocation) ? 'inventory' : undefined;
}

type Planner = (view: View) => Plan;

/** What is wrong with the command line is told before anything is read. */
function chooseVerb(invocation: Invocation): (cluster: Cluster, ports: Ports) => Promise<Planner> {
  const verb = memberWord(invocation) === undefined ? invocation.args.join(' ') : '';
  switch (verb) {
    case '':
      return async () => (view) => planAny(view, applyWish(invocation, { required: false }));
    case 'bootstrap':
      return async () => planBootstrap;
    case 'reset':
      return async () => (view) => planReset(view, { deleteData: false, lostStore: undefined });
    case 'apply': {
      const wish = applyWish(invocation, { required: false });
      return async () => (view) => planApply(view, wish);
    }
    case 'restart': {
      const wish = restartWish(invocation, { required: false });
      return async () => (view) => planRestart(view, wish);
    }
    case 'start':
      return async () => (view) => planStart(view, { members: values(invocation, 'member') });
    case 'stop':
      return async () => planStop;
    case 'upgrade':
    case 'downgrade':
      return async (cluster) => {
        const wish = versionWish(verb === 'upgrade' ? 'up' : 'down', invocation, cluster);
        return (view) => planVersion(view, wish);
      };
    default:
      return chooseCertsVerb(verb, invocation);
  }
}

function chooseCertsVerb(verb: string, invocation: Invocation): ReturnType<typeof chooseVerb> {
  switch (verb) {
    case 'certs rotate': {
      const wish = rotateWish(invocation);
      return async () => (view) => planRotate(view, wish);
    }
    case 'certs ca external install':
      return async (_cluster, ports) => {
        const wish = await installWish(invocation, ports);
        return (view) => planExternalInstall(view, wish);
      };
    case 'certs rescue':
      return async () => planRescue;
    case 'certs rotate-ca':
      return async (cluster, ports) => {
        const wish = await rotateCaWish(invocation, cluster, ports);
        return (view) => planRotateCa(view, wish);
      };
    default:
      throw new QuorateError('usage', `plan: there is no plan for "${verb}"`, {
        hint: 'one of: bootstrap, apply, upgrade, downgrade, restart, start, stop, reset, certs rotate, certs rotate-ca, certs rescue, certs ca external install, member add|promote|remove|replace|move-leader',
      });
  }
}

const ALL: ApplyWish = {
  ...{ only: [], members: [], remove: [], stallMs: 0 },
  downtime: { allowed: false, required: false },
};

/** What bootstrap would do where no cluster is formed and marked yet, what apply would do where there is one. Throws as they do. */
export function planAny(view: View, wish = ALL): Plan {
  const names = view.cluster.controllers.map((each) => each.name);
  requireUnchanged(view, names);
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  if (verdict.kind !== 'formed' || verdict.unmarked.length > 0) return planBootstrap(view);
  return { ...planApply(view, wish), verb: 'plan' };
}
