/** The steps that change who is a member, and who leads: each asked of the cluster's own list before and after, behind the guard, one at a time. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts, MemberFact } from '../domain/facts.ts';
import { hostsOf, memberOf, quorumList } from '../domain/membership.ts';
import type { Step } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import { awaitMember } from './await-member.ts';
import { disarmAlarm, proveData } from './data-proof.ts';
import { guard } from './guard.ts';
import { insist } from './insist.ts';
import { giveUpLeadership, handOver, leads } from './leadership.ts';
import { type Run, viewNow } from './run.ts';

const kinds = [
  'member.add',
  'member.await',
  'member.promote',
  'member.remove',
  'member.update',
  'leader.move',
  'data.prove',
  'alarm.disarm',
] as const;

export type MembershipStep = Step<(typeof kinds)[number]>;

export function isMembershipStep(step: Step): step is MembershipStep {
  return kinds.some((each) => each === step.kind);
}

/**
 * Performs a step by what the cluster tells in this moment, and returns the facts after it; where the list says that it is done already, nothing happens.
 * @throws QuorateError refused (the guard, or etcd for longer than a moment), step-failed, interrupted
 */
export async function runMembership(step: MembershipStep, known: Facts, run: Run): Promise<Facts> {
  const facts = await run.ports.look(known, []);
  switch (step.kind) {
    case 'member.add':
      return addMember(step, facts, run);
    case 'member.await':
      return awaitMember(step, facts, run);
    case 'member.promote':
      return promoteMember(step, facts, run);
    case 'member.remove':
      return removeMember(step, facts, run);
    case 'member.update':
      return updateMember(step, facts, run);
    case 'leader.move':
      return moveLeadership(step, facts, run);
    case 'data.prove':
      return proveData(facts, run);
    case 'alarm.disarm':
      return disarmAlarm(step, facts, run);
  }
}

async function addMember(step: Step<'member.add'>, facts: Facts, run: Run): Promise<Facts> {
  if (memberOf(requireList(facts, step), step) !== undefined) return told(step, facts, run, 'the list has it already');
  return change(step, facts, run, {
    call: (via) => run.ports.members.add(via, [step.peerUrl]),
    done: (list) => memberOf(list, step) !== undefined,
  });
}

async function promoteMember(step: Step<'member.promote'>, facts: Facts, run: Run): Promise<Facts> {
  const controller = hostsOf(run.ports.cluster).find((each) => each.name === step.member);
  const member = memberOf(requireList(facts, step), controller);
  if (member === undefined) throw failed(step, `${step.member} is not in the member list`);
  if (!member.learner) return told(step, facts, run, 'it has its vote already');
  return change(step, facts, run, {
    call: (via) => run.ports.members.promote(via, member.id),
    done: (list) => list.some((each) => each.id === member.id && !each.learner),
    patienceMs: step.stallMs,
  });
}

async function removeMember(step: Step<'member.remove'>, facts: Facts, run: Run): Promise<Facts> {
  const listed = (list: readonly MemberFact[]): boolean => list.some((each) => each.id === step.memberId);
  if (!listed(requireList(facts, step))) return told(step, facts, run, 'the list has it no more');
  await ask(step, facts, run);
  const leader = leaderOf(facts);
  const leading = leader !== undefined && facts.endpoints[leader]?.memberId === step.memberId;
  const drained = leading ? await giveUpLeadership(leader, facts, run) : facts;
  return change(step, drained, run, {
    call: (via) => run.ports.members.remove(via, step.memberId),
    done: (list) => !listed(list),
  });
}

async function updateMember(step: Step<'member.update'>, facts: Facts, run: Run): Promise<Facts> {
  const { memberId, peerUrls } = step;
  const there = (list: readonly MemberFact[]): boolean =>
    list.some((each) => each.id === memberId && each.peerUrls.toSorted().join() === peerUrls.toSorted().join());
  if (there(requireList(facts, step))) return told(step, facts, run, 'the list has it there already');
  return change(step, facts, run, {
    call: (via) => run.ports.members.update(via, memberId, peerUrls),
    done: there,
  });
}

async function moveLeadership(step: Step<'leader.move'>, facts: Facts, run: Run): Promise<Facts> {
  const leader = leaderOf(facts);
  if (leader === undefined) throw failed(step, 'no member that was reached leads');
  if (step.to !== '' && leads(facts, step.to)) return told(step, facts, run, `${step.to} leads already`);
  await ask(step, facts, run);
  return step.to === '' ? giveUpLeadership(leader, facts, run) : handOver({ from: leader, to: step.to }, facts, run);
}

interface Change {
  call(via: string): Promise<void>;
  /** Whether the list shows it. */
  done(list: readonly MemberFact[]): boolean;
  /** How long etcd may go on refusing for reasons that pass. */
  readonly patienceMs?: number;
}

/** Asks the guard, then etcd, and waits until the list shows it. */
async function change(step: MembershipStep, facts: Facts, run: Run, wanted: Change): Promise<Facts> {
  await ask(step, facts, run);
  run.ports.requireLock();
  return insist(step, facts, run, wanted);
}

async function ask(step: MembershipStep, facts: Facts, run: Run): Promise<void> {
  guard([step], { view: await viewNow(facts, run), mode: 'operator', permits: run.permits });
}

/** The host whose member leads. */
function leaderOf(facts: Facts): string | undefined {
  return Object.keys(facts.endpoints).find((host) => leads(facts, host));
}

function requireList(facts: Facts, step: MembershipStep): readonly MemberFact[] {
  const list = quorumList(facts, undefined);
  if (list !== undefined) return list;
  throw new QuorateError('refused', 'no member answers through the quorum: nothing tells who is a member', {
    step: step.id,
    hint: 'bring the members back first: quorate status -i FILE',
  });
}

function told(step: MembershipStep, facts: Facts, { ports }: Run, reason: string): Facts {
  ports.emit({ type: 'note', host: step.host, text: `${describe(step).text}: nothing to do: ${reason}` });
  return facts;
}

function failed(step: MembershipStep, message: string): QuorateError {
  return new QuorateError('step-failed', message, { step: step.id, hint: 'look with quorate member list -i FILE' });
}
