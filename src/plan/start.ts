/** start: members that are stopped come back with their own data, all at once, because they wait for each other. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { majority } from '../domain/quorum.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { requireDialled } from './client-ports.ts';
import { requireUnchanged } from './fixed-settings.ts';
import { neededDrafts } from './host-steps.ts';
import { chosenMembers, requireData, requireFormed, requireReached } from './live-refusals.ts';
import { rosterOf } from './roster.ts';
import { planBase, type View } from './view.ts';

export interface StartWish {
  /** Names of controllers; empty: all members. */
  readonly members: readonly string[];
}

/**
 * The plan that starts what does not run; empty with reasons where all run.
 * @throws QuorateError refused (a member without its data is lost, not stopped), unreachable, usage
 */
export function planStart(view: View, wish: StartWish): Plan {
  const { cluster, facts } = view;
  const chosen = chosenMembers(view, wish.members);
  requireFormed(view);
  requireUnchanged(view, chosen);
  requireDialled(view);
  const roster = rosterOf(view);
  const members = chosen.filter((name) => roster.members.includes(name) || facts.hosts[name] === undefined);
  requireReached(view, members, 'quorate start -i FILE');
  requireData(
    view,
    roster.wiped.filter((name) => members.includes(name)),
    'quorate start -i FILE',
  );
  requireMajority(view, members);
  const drafts = members.flatMap((host) =>
    neededDrafts(view, [{ kind: 'unit.start', host, unit: cluster.unit, state: 'existing', files: [] }]),
  );
  const why = 'a cluster runs when it agrees on a leader';
  const wait: Draft = { kind: 'cluster.await', host: OPERATOR, members, why };
  const stages = [
    stage('start', 'start all members at once', 'parallel', drafts),
    stage('await', 'wait for the cluster', 'operator', drafts.length === 0 ? [] : [wait]),
  ];
  const reasons = members.map((host) => ({
    host,
    reason: `${cluster.unit} is ${facts.hosts[host]?.unit.activeState}`,
  }));
  return dropEmptyStages({ ...planBase(view, 'start'), stages, reasons: drafts.length === 0 ? reasons : [] });
}

/** Fewer would wait for a quorum that does not come. */
function requireMajority({ cluster, facts }: View, members: readonly string[]): void {
  const running = cluster.controllers.filter(({ name }) => facts.hosts[name]?.unit.activeState === 'active');
  const up = new Set([...members, ...running.map((each) => each.name)]);
  const needed = majority(cluster.controllers.length);
  if (up.size >= needed) return;
  throw new QuorateError(
    'refused',
    `${up.size} of ${cluster.controllers.length} members would run, and ${needed} are needed`,
    {
      hint: 'start more of them together: quorate start -i FILE',
    },
  );
}
