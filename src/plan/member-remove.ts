/** member remove: members leave the cluster, one after the other; their hosts are stopped and their data is moved aside. Pure. */
import { QuorateError } from '../domain/errors.ts';
import type { MemberFact } from '../domain/facts.ts';
import { openGoal, type ReplaceGoal } from '../domain/goal.ts';
import { hostsOf } from '../domain/membership.ts';
import { dropEmptyStages, type Plan, type Reason, type Stage, stage } from '../domain/plan.ts';
import { type Disruption, objectToAll } from '../domain/quorum.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { votersOf } from '../domain/voters.ts';
import { leftFiles } from './member-files.ts';
import { cleanDrafts, memberFiles } from './member-join.ts';
import { findTarget, requireList, sizeWarnings, type Target } from './member-targets.ts';
import { planBase, type View } from './view.ts';

/** What the operator named: controllers, members' own names, or IDs. */
export interface RemoveWish {
  readonly members: readonly string[];
}

/**
 * A member that is gone from the list already has its host cleaned up, where that is reached. The hosts of `members` are to be among the cluster's
 * departing ones: what the others are given has them no more.
 * @throws QuorateError refused where the others could not go on without them, usage
 */
export function planRemove(view: View, { members }: RemoveWish): Plan {
  const list = requireList(view);
  const targets = targetsOf(view, list, members);
  requireOurData(view, targets);
  requireQuorumWithout(view, list, targets);
  const listed = targets.filter((each) => each.member !== undefined);
  const stages = targets.flatMap((target) => removeStages(view, target, { disable: true }));
  const changes = stages.some((each) => each.steps.length > 0);
  const plan = dropEmptyStages({
    ...planBase(view, 'member remove'),
    stages: [
      ...stages,
      ...(listed.length > 0 ? [proofStage()] : []),
      changes ? memberFiles(view, undefined) : leftFiles(view, list),
      givenUp(view, targets),
    ],
    reasons: [],
  });
  const voters = list.filter((each) => !each.learner && !listed.some(({ member }) => member?.id === each.id)).length;
  return {
    ...plan,
    warnings: [
      ...(listed.length > 0 ? sizeWarnings(voters) : []),
      ...targets.flatMap((each) => leftBehind(view, each)),
    ],
    reasons: plan.stages.length === 0 ? targets.map((each) => goneReason(each)) : [],
  };
}

/** Each member once, by whichever of its words it is named. */
function targetsOf(view: View, list: readonly MemberFact[], words: readonly string[]): readonly Target[] {
  const newcomer = openGoal(view.pki.goals, 'replace')?.with;
  const known = (word: string): boolean =>
    hostsOf(view.cluster).some((each) => each.name === word) || list.some((each) => each.name === word);
  const all = words.map((word) =>
    word === newcomer && !known(word)
      ? { label: word, member: undefined, controller: undefined }
      : findTarget(view, list, word),
  );
  return all.filter(({ label }, index) => all.findIndex((each) => each.label === label) === index);
}

/** Who was to come in the place of another one is not wanted any more. */
function givenUp({ pki }: View, targets: readonly Target[]): Stage {
  const open = openGoal(pki.goals, 'replace');
  if (open === undefined || !targets.some((each) => each.label === open.with))
    return stage('given-up', '', 'operator', []);
  const { id, member, with: by } = open;
  const goal: ReplaceGoal = { kind: 'replace', id, member, with: by };
  const why = `${by} is taken back`;
  return stage('given-up', 'give the replacement up', 'operator', [{ kind: 'goal.close', host: OPERATOR, goal, why }]);
}

/** Takes a member out of the list, then cleans its host up. */
export function removeStages(view: View, target: Target, options: { readonly disable: boolean }): readonly Stage[] {
  const { label, member, controller } = target;
  const removed: readonly Draft[] =
    member === undefined
      ? []
      : [
          {
            kind: 'member.remove',
            host: OPERATOR,
            member: label,
            memberId: member.id,
            why: 'it was asked for by name',
          },
        ];
  return [
    stage(`remove-${label}`, `remove ${label} from the cluster`, 'operator', [
      ...removed,
      ...disarmDrafts(view, member),
    ]),
    stage(
      `clean-${label}`,
      `stop ${label}, and move its data aside`,
      'parallel',
      controller === undefined ? [] : hostDrafts(view, controller.name, options),
    ),
  ];
}

/** Unconditional but for what the facts say of the host: the member still runs when this is planned. */
function hostDrafts(view: View, host: string, options: { readonly disable: boolean }): readonly Draft[] {
  if (view.facts.hosts[host] === undefined) return [];
  return cleanDrafts(view, host, options).map((each) => ({ ...each, why: 'its member is gone from the cluster' }));
}

function disarmDrafts({ facts }: View, member: MemberFact | undefined): readonly Draft[] {
  const alarms = Object.values(facts.endpoints).flatMap((each) => each.alarms.filter(({ kind }) => kind === 'CORRUPT'));
  const raised = alarms.some(({ memberId }) => memberId === member?.id || /^0+$/.test(memberId));
  if (member === undefined || !raised) return [];
  const why = 'writes are refused while it stands, and its member is gone';
  return [{ kind: 'alarm.disarm', host: OPERATOR, memberId: member.id, alarm: 'CORRUPT', why }];
}

function proofStage(): Stage {
  return stage('prove', 'prove the others', 'operator', [
    { kind: 'data.prove', host: OPERATOR, why: 'the others go on with the same data' },
  ]);
}

/** One after the other, each by what those before it leave. @throws QuorateError refused */
function requireQuorumWithout({ cluster, facts }: View, list: readonly MemberFact[], targets: readonly Target[]): void {
  const voters = targets.filter(({ member }) => member !== undefined && !member.learner);
  if (voters.length > 0 && voters.length >= list.filter((each) => !each.learner).length) {
    throw new QuorateError(
      'refused',
      `${voters.map((each) => each.label).join(', ')}: no voter would be left: removing the last member would end the cluster`,
      {
        hint: 'to give the cluster up by name: quorate reset -i FILE --yes-destroy NAME',
      },
    );
  }
  const steps = voters.map(({ label }): Disruption => ({ kind: 'remove', member: label }));
  const objection = objectToAll(votersOf(cluster, facts), steps);
  if (objection === undefined) return;
  const down = votersOf(cluster, facts)
    .filter((each) => !each.healthy)
    .map((each) => each.name);
  throw new QuorateError('refused', objection, {
    hint: `bring the other members back first, or remove a dead one instead: ${down.join(', ') || 'quorate status -i FILE'}`,
  });
}

/** A host with notes of another cluster, or with data that no note explains, is not cleaned up. @throws QuorateError refused */
function requireOurData({ facts, identity }: View, targets: readonly Target[]): void {
  for (const { controller, label } of targets) {
    const host = controller && facts.hosts[controller.name];
    if (host === undefined) continue;
    const { marker, starting, attempt } = host.records;
    const note = marker ?? starting ?? attempt;
    if (note === undefined ? !host.data.wal : note.uuid === identity?.uuid) continue;
    throw new QuorateError('refused', `${label}: its host holds data that is not this cluster's: it is left alone`, {
      host: label,
      hint: 'name the member by its ID (quorate member list -i FILE) after taking that host out of the inventory',
    });
  }
}

/** What stays on hosts that cannot be reached. */
function leftBehind({ cluster, facts }: View, { controller, label, member }: Target): readonly string[] {
  if (controller !== undefined && facts.hosts[controller.name] !== undefined) return [];
  if (member === undefined) return [];
  const how =
    controller === undefined
      ? 'the inventory does not have its host'
      : `its host is not reached (${facts.unreachable[controller.name] ?? 'not connected'})`;
  return [
    `${label}: ${how}: it is taken out of the cluster, and its host is left as it is. Where that comes back: systemctl disable --now ${cluster.unit}, and move ${cluster.paths.dataDir} aside (or run the same command again)`,
  ];
}

function goneReason({ label }: Target): Reason {
  return { host: label, reason: 'is no member, and nothing of one is left on its host' };
}
