/** member move-leader: leadership goes to another member. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { OPERATOR } from '../domain/step.ts';
import { serves, votersOf } from '../domain/voters.ts';
import { findTarget, requireList } from './member-targets.ts';
import { planBase, type View } from './view.ts';

/**
 * `to`: a controller, or undefined for the best of the others. Empty, with the reason, where it leads already.
 * @throws QuorateError refused where it does not serve or has no vote, or where there is nobody else
 */
export function planMoveLeader(view: View, to: string | undefined): Plan {
  const list = requireList(view);
  const { facts } = view;
  const target = to === undefined ? undefined : findTarget(view, list, to);
  const name = target?.controller?.name ?? target?.label ?? '';
  if (target !== undefined && (target.member === undefined || target.member.learner || !serves(facts, name))) {
    throw new QuorateError(
      'refused',
      `${target.label}: ${target.member?.learner === true ? 'is a learner, and learners do not lead' : 'does not serve'}: leadership is not moved to it`,
      {
        hint: 'quorate member list -i FILE shows who may lead',
      },
    );
  }
  const able = votersOf(view.cluster, facts).filter((each) => each.healthy);
  if (to === undefined && able.length < 2) {
    throw new QuorateError('refused', 'there is no other healthy voter that could lead', {
      hint: 'quorate status -i FILE',
    });
  }
  const leads = target?.member !== undefined && facts.endpoints[name]?.leaderId === target.member.id;
  const plan = dropEmptyStages({
    ...planBase(view, 'member move-leader'),
    warnings: [],
    stages: leads
      ? []
      : [
          stage('lead', 'move leadership', 'operator', [
            { kind: 'leader.move', host: OPERATOR, to: name, why: 'it was asked for' },
          ]),
        ],
    reasons: leads ? [{ host: name, reason: 'leads already' }] : [],
  });
  return plan;
}
