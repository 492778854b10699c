/** The guard before changes of who is a member. */
import { QuorateError } from '../domain/errors.ts';
import type { MemberFact } from '../domain/facts.ts';
import {
  addsBesideAllOnly,
  hostOf,
  hostsOf,
  isArriving,
  labelOf,
  memberOf,
  neverStarted,
  quorumList,
} from '../domain/membership.ts';
import { activeAuthority } from '../domain/pki-view.ts';
import { isPlaintext } from '../domain/plaintext.ts';
import { type Disruption, object } from '../domain/quorum.ts';
import type { Step, StepKind } from '../domain/step.ts';
import { serves, votersOf } from '../domain/voters.ts';
import { runningBundle } from '../plan/running-trust.ts';
import type { View } from '../plan/view.ts';

/** Kinds that {@link guardMembers} judges. */
export const guardedMembers: readonly StepKind[] = [
  'member.add',
  'member.promote',
  'member.remove',
  'member.update',
  'leader.move',
  'alarm.disarm',
];

/** @throws QuorateError refused */
export function guardMembers(step: Step, view: View): void {
  switch (step.kind) {
    case 'member.add':
      requireNoOther(step, listOf(step, view), view);
      judge(step, view, {
        kind: 'add-learner',
        member: step.member,
        needsAll: addsBesideAllOnly(view.cluster, view.facts),
      });
      return;
    case 'member.promote':
      judge(step, view, { kind: 'promote', member: step.member });
      return;
    case 'member.remove':
      guardRemoval(step, view);
      return;
    case 'member.update':
      guardUpdate(step, view);
      return;
    case 'leader.move':
      if (step.to === '' || serves(view.facts, step.to)) return;
      throw refused(
        step,
        `${step.to} does not serve: leadership is not moved to it`,
        'quorate status -i FILE shows why',
      );
    case 'alarm.disarm':
      if (!listOf(step, view).some((each) => each.id === step.memberId)) return;
      throw refused(
        step,
        `member ${step.memberId} is still in the list: its alarm stays`,
        'replace that member: quorate member replace NAME',
      );
    default:
  }
}

/**
 * Data is moved away from a host alone whose member the cluster itself no longer has, or has as one that never started with that data.
 * @throws QuorateError refused
 */
export function guardAside(step: Step<'data.aside'>, view: View): void {
  const list = listOf(step, view);
  const controller = hostsOf(view.cluster).find((each) => each.name === step.host);
  const { marker, starting, attempt } = view.facts.hosts[step.host]?.records ?? {};
  const noted = [marker, starting, attempt].map((each) => each?.memberId);
  const member = memberOf(list, controller);
  const still =
    list.find((each) => noted.includes(each.id)) ??
    (member !== undefined && !neverStarted(member) ? member : undefined);
  if (still === undefined) return;
  throw refused(
    step,
    `its data is that of member ${still.id}, which the cluster still has`,
    'quorate member list -i FILE shows the members',
  );
}

/** A learner has no vote, and a voter that never started is down: whoever is left must hold the majority. */
function guardRemoval(step: Step<'member.remove'>, view: View): void {
  const list = listOf(step, view);
  const member = list.find((each) => each.id === step.memberId);
  if (member === undefined) return;
  if (list.filter((each) => !each.learner).length <= 1 && !member.learner) {
    throw refused(
      step,
      `${step.member} is the last member: removing it would end the cluster`,
      'to give the cluster up: quorate reset -i FILE',
    );
  }
  if (!member.learner) judge(step, view, { kind: 'remove', member: labelOf(view.cluster, view.facts, member) });
}

/** A learner's update gave it a vote up to 3.5.30 and 3.6.11 (reference/etcd-operations.md, section 4), and etcd knows each peer URL once. */
function guardUpdate(step: Step<'member.update'>, view: View): void {
  const list = listOf(step, view);
  const member = list.find((each) => each.id === step.memberId);
  if (member === undefined || member.learner) {
    const what = member === undefined ? 'is no member any more' : 'is a learner: its address is fixed until it votes';
    throw refused(step, `member ${step.memberId} ${what}`, 'quorate member list -i FILE shows the members');
  }
  requireTrustedPeer(step, { list, member, view });
  const other = list.find((each) => each !== member && each.peerUrls.some((url) => step.peerUrls.includes(url)));
  if (other === undefined) return;
  throw refused(
    step,
    `${step.peerUrls.join(', ')} is where member ${other.id} is dialled`,
    'quorate member list -i FILE shows the members',
  );
}

/** A member is dialled with TLS only once all others that run have certificates to dial it with, and trust its own. */
function requireTrustedPeer(
  step: Step<'member.update'>,
  { list, member, view }: { readonly list: readonly MemberFact[]; readonly member: MemberFact; readonly view: View },
): void {
  if (!member.peerUrls.every(isPlaintext) || step.peerUrls.some(isPlaintext)) return;
  const { cluster, facts, pki } = view;
  const signs = activeAuthority(pki, 'peer')?.certificate.trim() ?? '';
  const lacking = list.find((each) => {
    const host = facts.hosts[hostOf(cluster, facts, each)?.name ?? ''];
    const trusted = host === undefined ? undefined : runningBundle(host, 'peer');
    return signs === '' || trusted?.includes(signs) !== true;
  });
  if (lacking === undefined) return;
  throw refused(
    step,
    `would be dialled with TLS, and ${labelOf(cluster, facts, lacking)} was not started with certificates of its peers' authority: it could not reach it`,
    'run the same command again: it brings that member to where it must be first',
  );
}

/** One at a time: whoever is on the way has to arrive, or to be taken back. */
function requireNoOther(step: Step<'member.add'>, list: readonly MemberFact[], { cluster, facts }: View): void {
  const other = list.find((each) => isArriving(each) && hostOf(cluster, facts, each)?.name !== step.member);
  if (other === undefined) return;
  const name = labelOf(cluster, facts, other);
  throw refused(
    step,
    `${name} is on its way into the cluster (${other.learner ? 'a learner' : 'never started'}), and members come one at a time`,
    `finish it: quorate member add ${name} -i FILE; or take it back: quorate member remove ${name} -i FILE`,
  );
}

function judge(step: Step, { cluster, facts }: View, disruption: Disruption): void {
  const objection = object(votersOf(cluster, facts), disruption);
  if (objection === undefined) return;
  throw refused(
    step,
    objection,
    'bring the other members back first, or replace a dead one: quorate member replace NAME -i FILE',
  );
}

function listOf(step: Step, { facts, identity }: View): readonly MemberFact[] {
  const list = quorumList(facts, identity?.clusterId);
  if (list !== undefined) return list;
  throw refused(
    step,
    'no member answers through the quorum: nothing tells who is a member',
    'bring the members back first: quorate status -i FILE',
  );
}

function refused(step: Step, message: string, hint: string): QuorateError {
  const host = step.host === 'operator' ? undefined : step.host;
  return new QuorateError('refused', host === undefined ? message : `${host}: ${message}`, {
    host,
    step: step.id,
    hint,
  });
}
