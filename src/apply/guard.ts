/** The guard before every disruptive step, whichever verb planned it. */
import { QuorateError } from '../domain/errors.ts';
import type { Permits, Stage } from '../domain/plan.ts';
import { type Disruption, majority, objectToAll } from '../domain/quorum.ts';
import type { Step, StepKind } from '../domain/step.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { quorumHolds, serves, votersOf } from '../domain/voters.ts';
import { riskOf } from '../plan/describe.ts';
import { runsWithExpiredTrust } from '../plan/running-trust.ts';
import type { View } from '../plan/view.ts';
import { guardAside, guardedMembers, guardMembers } from './guard-members.ts';

/** Under what steps are judged. */
export interface GuardContext {
  readonly view: View;
  readonly mode: Stage['mode'];
  readonly permits: Permits;
}

/**
 * Lets steps that happen together pass, or refuses them all.
 * @throws QuorateError refused: what is true, why it is unsafe, what to do.
 */
export function guard(steps: readonly Step[], context: GuardContext): void {
  for (const step of steps) {
    if (riskOf(step) === 'disruptive' && !guarded.includes(step.kind))
      throw new Error(`${step.kind}: no guard stands before it`);
    if (step.kind === 'unit.start') guardStart(step, context.view);
    if (step.kind === 'unit.restart') guardRestart(step, context);
    if (takesData(step, context)) guardAside(step, context.view);
    guardMembers(step, context.view);
  }
  const stops = steps.filter((step) => stopsMember(step, context));
  guardStops(stops, context);
}

const guarded: readonly StepKind[] = [
  ...(['unit.start', 'unit.restart', 'unit.stop', 'package.hold', 'data.own'] as const),
  ...guardedMembers,
];

/** Whether the guard counts who serves before these steps, so that facts about endpoints must be fresh. */
export function countsVoters(steps: readonly Step[], context: GuardContext): boolean {
  return steps.some((step) => step.kind === 'unit.restart' || takesData(step, context) || stopsMember(step, context));
}

/** Data that the cluster may still count on: not that of one that ends by its name. */
function takesData(step: Step, { permits, view }: GuardContext): step is Step<'data.aside'> {
  return step.kind === 'data.aside' && permits.ending !== view.cluster.name;
}

/** Starting a member needs the verdict that its data dir is its own, and `new` is for a member without data alone. */
function guardStart(step: Step<'unit.start'>, view: View): void {
  if (step.state === 'existing' && hasOwnData(step.host, view)) return;
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  if (verdict.kind === 'refused') throw new QuorateError('refused', verdict.message, { hint: verdict.hint });
  if (verdict.kind === 'formed' && verdict.outsiders.includes(step.host)) {
    throw refused(step, 'is not in the member list: it is not started before the cluster has it as a member', {
      hint: `quorate member add ${step.host} -i FILE`,
    });
  }
  const host = view.facts.hosts[step.host];
  if (step.state === 'new' && (verdict.kind === 'formed' || host?.data.wal !== false)) {
    throw refused(step, 'would be started as new, and the cluster or its data exists already', {
      hint: 'run quorate plan -i FILE to see what is there',
    });
  }
}

/** With the data that it had when the cluster was formed, a member can form no other one, however its neighbours are. */
function hasOwnData(name: string, { facts, identity }: View): boolean {
  const host = facts.hosts[name];
  return host?.data.wal === true && identity !== undefined && host.records.marker?.uuid === identity.uuid;
}

function guardRestart(step: Step<'unit.restart'>, context: GuardContext): void {
  const { view, mode } = context;
  const host = view.facts.hosts[step.host];
  if (host === undefined) {
    throw refused(
      step,
      `cannot be looked at (${view.facts.unreachable[step.host] ?? 'not connected'}), and is not restarted unseen`,
    );
  }
  if (!host.data.wal) {
    throw refused(step, `its data is gone from ${view.cluster.paths.dataDir}: it would not come back from a restart`, {
      hint: `replace the member, while the others have the data: quorate member replace ${step.host} -i FILE`,
    });
  }
  const corrupt = Object.values(view.facts.endpoints).flatMap((each) =>
    each.alarms.filter(({ kind }) => kind === 'CORRUPT'),
  );
  if (corrupt.length > 0) {
    throw refused(
      step,
      `would be restarted while the alarm CORRUPT says that members' data differ (member ${corrupt[0]?.memberId})`,
      {
        hint: 'find out first whose data is right: etcdctl endpoint hashkv --cluster',
      },
    );
  }
  if (step.outage) guardOutage(step, view);
  else if (mode !== 'rolling') throw refused(step, 'would be restarted without a turn of its own');
  else guardLostQuorum(step, view);
}

/** All at once costs nothing only where nothing is served, and where enough data is there to come back with. */
function guardOutage(step: Step<'unit.restart'>, { cluster, facts, now }: View): void {
  const serving = Object.keys(facts.endpoints).filter((name) => serves(facts, name));
  const host = facts.hosts[step.host];
  // One after the other, those that come first would be refused by those that still trust what has expired.
  const expired = host !== undefined && runsWithExpiredTrust(host, now);
  if (serving.length > 0 && !expired) {
    throw refused(
      step,
      `would be restarted together with the others, while ${serving.join(', ')} answers through the quorum`,
      {
        hint: 'restart one member at a time; plan again',
      },
    );
  }
  const voters = votersOf(cluster, facts);
  const intact = voters.filter(({ name }) => facts.hosts[name]?.data.wal === true).length;
  if (intact >= majority(voters.length)) return;
  throw refused(
    step,
    `${intact} of ${voters.length} members are known to have their data, and ${majority(voters.length)} are needed to serve again`,
    {
      hint: 'bring the other hosts back first: data of a running member may be the last that is left',
    },
  );
}

/** What runs without quorum may be the last that is left of the data (a snapshot, or the others, come first). */
function guardLostQuorum(step: Step<'unit.restart'>, { cluster, facts }: View): void {
  const voters = votersOf(cluster, facts);
  if (quorumHolds(voters) || facts.hosts[step.host]?.unit.activeState !== 'active') return;
  const healthy = voters.filter((each) => each.healthy).length;
  throw refused(
    step,
    `runs, while quorum is lost (${healthy} of ${voters.length} voters healthy): restarting it would not bring that back`,
    {
      hint: 'bring the members back that do not run, first: quorate status -i FILE',
    },
  );
}

function guardStops(steps: readonly Step[], { view, permits }: GuardContext): void {
  const voters = votersOf(view.cluster, view.facts);
  const allowDowntime = permits.downtime === true;
  const stops = steps.map((step): Disruption => ({ kind: 'stop', member: step.host, allowDowntime }));
  const objection = objectToAll(voters, stops);
  if (objection === undefined) return;
  const small = voters.length <= 2;
  throw new QuorateError('refused', objection, {
    host: steps.length === 1 ? steps[0]?.host : undefined,
    hint: small
      ? `a cluster of ${voters.length === 1 ? 'one' : 'two'} is down while a member restarts: add --allow-downtime to accept that`
      : 'bring the other members back first: quorate status -i FILE',
  });
}

/** Whether a step stops a member that the cluster counts on: not one of a cluster that ends by its name, and not one that nobody is served by. */
function stopsMember(step: Step, { permits, mode, view }: GuardContext): boolean {
  switch (step.kind) {
    case 'unit.stop':
      return permits.ending !== view.cluster.name;
    case 'package.hold':
      return step.unit !== '';
    case 'data.own':
      return true;
    case 'unit.restart':
      return mode === 'rolling' && !step.outage;
    default:
      return false;
  }
}

function refused(step: Step, what: string, { hint }: { readonly hint?: string } = {}): QuorateError {
  return new QuorateError('refused', `${step.host}: ${what}`, { host: step.host, step: step.id, hint });
}
