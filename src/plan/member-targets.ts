/** Which members a verb means, and what the cluster's own list says of them. Pure. */
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { MemberFact } from '../domain/facts.ts';
import type { ReplaceGoal } from '../domain/goal.ts';
import { entryOf, hostOf, hostsOf, isArriving, labelOf, memberOf, quorumList } from '../domain/membership.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { requireDialled } from './client-ports.ts';
import type { View } from './view.ts';

/** What a word of the operator stands for. */
export interface Target {
  readonly label: string;
  /** Its entry in the list; undefined where the list lacks it. */
  readonly member: MemberFact | undefined;
  /** Its host, where the inventory has one. */
  readonly controller: Controller | undefined;
}

/** The list of the quorum. @throws QuorateError refused where no member answers through it, or members are asked where none listens */
export function requireList(view: View): readonly MemberFact[] {
  requireDialled(view);
  const { facts, identity } = view;
  const list = quorumList(facts, identity?.clusterId);
  if (list !== undefined) return list;
  const said = Object.values(facts.endpoints).flatMap(
    (each) => each.failure ?? `${each.host}: a linearizable read does not return`,
  );
  throw new QuorateError('refused', `no member answers through the quorum: ${said.join('; ') || 'none was reached'}`, {
    hint: 'nothing changes members without a quorum: bring a majority back first (quorate status -i FILE, quorate doctor -i FILE)',
  });
}

/** @throws QuorateError refused where the cluster has not been formed, or a member (but those named) has lost its data */
export function requireFormed(view: View, besides: readonly string[] = []): void {
  const controllers = view.cluster.controllers.filter(({ name }) => !besides.includes(name));
  const verdict = judgeCluster({ ...view.cluster, controllers }, view.facts, view.identity);
  if (verdict.kind === 'refused') throw new QuorateError('refused', verdict.message, { hint: verdict.hint });
  if (verdict.kind === 'formed') return;
  throw new QuorateError('refused', 'this cluster has not been formed yet', { hint: 'quorate bootstrap -i FILE' });
}

/**
 * By the name of a controller, else by a member's own name, else by its ID.
 * @throws QuorateError usage where it is none of these; refused where the word means one member to the inventory and another to the cluster
 */
export function findTarget(view: View, list: readonly MemberFact[], word: string): Target {
  const { cluster, facts } = view;
  const controller = hostsOf(cluster).find((each) => each.name === word);
  const own = controller && entryOf(facts, list, controller);
  const named = list.filter((each) => each.name === word);
  const there = memberOf(list, controller);
  requireOneMeaning(word, new Set([...named, ...[own, there].filter((each) => each !== undefined)]));
  const member = own ?? named[0] ?? byId(list, word);
  if (member !== undefined)
    return { label: labelOf(cluster, facts, member), member, controller: hostOf(cluster, facts, member) };
  if (controller !== undefined || isId(word)) return { label: word, member: undefined, controller };
  throw new QuorateError('usage', `${word}: neither the inventory nor the cluster has such a member`, {
    hint: `the cluster's members: ${list.map((each) => `${labelOf(cluster, facts, each)} (${each.id})`).join(', ')}`,
  });
}

/** The inventory's etcd-3 may be at the address of a member that calls itself etcd-2. */
function requireOneMeaning(word: string, members: ReadonlySet<MemberFact>): void {
  if (members.size < 2) return;
  const all = [...members].map((each) => `${each.id} (${each.name || 'never started'}, ${each.peerUrls.join(', ')})`);
  throw new QuorateError('refused', `${word}: may mean ${all.join(' or ')}`, {
    hint: 'name the member by its ID, and see that the inventory has each name at the address of its member',
  });
}

/** One at a time. @throws QuorateError refused while another member than these is on its way into the cluster */
export function requireNoOtherArrival(
  { cluster, facts }: View,
  list: readonly MemberFact[],
  ours: readonly string[],
): void {
  const other = list.find((each) => isArriving(each) && !ours.includes(labelOf(cluster, facts, each)));
  if (other === undefined) return;
  const name = labelOf(cluster, facts, other);
  throw new QuorateError(
    'refused',
    `${name} is on its way into the cluster (${other.learner ? 'a learner' : 'never started'}), and members come one at a time`,
    { hint: `finish it: quorate member add ${name} -i FILE; or take it back: quorate member remove ${name} -i FILE` },
  );
}

/** How an open replacement comes to its end. */
export function goalHint({ member, with: by }: ReplaceGoal): string {
  return `finish it first: quorate member replace ${member} --with ${by} -i FILE; or give it up: quorate member remove ${by} -i FILE`;
}

/** What is unwise about a cluster with so many voters. */
export function sizeWarnings(voters: number): readonly string[] {
  if (voters === 1) return ['the cluster will have one voter: no member may fail, and every restart is downtime'];
  if (voters % 2 === 0) {
    return [`the cluster will have ${voters} voters: it survives no more failures than with ${voters - 1}`];
  }
  return voters > 7 ? [`the cluster will have ${voters} voters: each write waits for ${(voters + 1) / 2} of them`] : [];
}

function byId(list: readonly MemberFact[], word: string): MemberFact | undefined {
  return isId(word) ? list.find((each) => each.id === word.toLowerCase().padStart(16, '0')) : undefined;
}

function isId(word: string): boolean {
  return /^[0-9a-f]{8,16}$/i.test(word);
}
