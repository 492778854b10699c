/** quorate upgrade, quorate downgrade: other versions of etcd, one minor and one member at a time. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { parseVersion } from '../domain/version.ts';
import { planVersion, type VersionWish, versionLeft } from '../plan/upgrade.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Session, type Verb, value, values } from './command.ts';

export const upgrade: Verb = changeVersion('up');
export const downgrade: Verb = changeVersion('down');

function changeVersion(way: VersionWish['way']): Verb {
  return async (invocation, ports) => {
    // The inventory's own version may be one that is left because it is dangerous: those on the way are judged by the plan.
    const cluster = await ports.clusterAt(undefined);
    const wish = versionWish(way, invocation, cluster);
    const session = await ports.session(cluster, { endpoints: true, requireAll: true, settled: true, versions: 'any' });
    try {
      const run = {
        planner: (view: Session['view']) => planVersion(view, wish),
        question: `${way === 'up' ? 'Upgrade' : 'Downgrade'} ${cluster.name}?`,
        preflight: false,
        left: (view: Session['view'], plan: ReturnType<typeof planVersion>) => versionLeft(view, wish, plan),
      } as const;
      const status = await applyPlan(session, run, invocation, ports);
      const differing = runningElsewhere(session, cluster);
      if (differing !== undefined) ports.ui.warn(differing);
      return status;
    } finally {
      await session.close();
    }
  };
}

/** What the options ask for. @throws QuorateError usage */
export function versionWish(way: VersionWish['way'], invocation: Invocation, cluster: Cluster): VersionWish {
  const abort = way === 'down' && flag(invocation, 'abort');
  const to = value(invocation, 'to');
  if (abort && to !== undefined) throw new QuorateError('usage', '--abort and --to exclude each other');
  if (way === 'down' && !abort && to === undefined) {
    throw new QuorateError('usage', 'downgrade needs --to VERSION, or --abort', {
      hint: 'quorate downgrade --to 3.6.16 -i FILE',
    });
  }
  const via = values(invocation, 'via').flatMap((each) => each.split(','));
  for (const each of [...(to === undefined ? [] : [to]), ...via]) requireVersion(each);
  return {
    ...{ way, to, via, abort },
    accepted: [...cluster.acceptHazards, ...values(invocation, 'acceptHazard')],
    allowDowntime: flag(invocation, 'allowDowntime'),
  };
}

function requireVersion(text: string): void {
  if (parseVersion(text) !== undefined) return;
  throw new QuorateError('usage', `${JSON.stringify(text)} is no version of etcd`, {
    hint: 'write it in full, without v: 3.6.16',
  });
}

/** The inventory is the operator's: it is not edited, and what it says is what later verbs go by. */
function runningElsewhere({ view: { facts } }: Session, { version }: Cluster): string | undefined {
  const running = new Set(Object.values(facts.endpoints).map((each) => each.version));
  const [only] = running;
  if (running.size !== 1 || only === undefined || only === '' || only === version) return undefined;
  return `etcd ${only} runs, and the inventory says ${version}: write cluster.version: ${only} there`;
}
