/** The voters of a cluster as its own member list and its endpoints tell them: what the guard counts. */
import type { Cluster } from './cluster.ts';
import type { Facts } from './facts.ts';
import { memberList } from './health.ts';
import { hostOf, labelOf } from './membership.ts';
import { majority, type Voter } from './quorum.ts';

/**
 * Every voter of the cluster's own list: learners do not count, members that no inventory names do, and whoever did not answer is down. Where nobody
 * answered, the inventory's members, all of them down.
 */
export function votersOf(cluster: Cluster, facts: Facts): readonly Voter[] {
  const list = memberList(facts);
  if (list.length === 0) return cluster.controllers.map(({ name }) => ({ name, healthy: false }));
  return list
    .filter((each) => !each.learner)
    .map((member) => {
      const controller = hostOf(cluster, facts, member);
      return {
        name: labelOf(cluster, facts, member),
        healthy: controller !== undefined && serves(facts, controller.name),
      };
    });
}

/** Whether a member answers and reads through the quorum. */
export function serves(facts: Facts, name: string): boolean {
  const endpoint = facts.endpoints[name];
  return endpoint !== undefined && endpoint.failure === undefined && endpoint.linearizable;
}

/** Whether a majority of the voters serves. */
export function quorumHolds(voters: readonly Voter[]): boolean {
  return voters.filter((each) => each.healthy).length >= majority(voters.length);
}

/** Whether a majority of the voters answers and nobody reads through the quorum: an election goes on, or the peer port is cut. */
export function awaitsLeader(cluster: Cluster, facts: Facts): boolean {
  const list = memberList(facts).filter((each) => !each.learner);
  const answer = list.filter((member) => {
    const endpoint = facts.endpoints[hostOf(cluster, facts, member)?.name ?? ''];
    return endpoint !== undefined && endpoint.failure === undefined;
  });
  const served = Object.keys(facts.endpoints).some((name) => serves(facts, name));
  return !served && list.length > 0 && answer.length >= majority(list.length);
}
