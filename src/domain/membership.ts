/** Members of the cluster's own list, and the controllers of the inventory that they are. */
import type { Cluster } from './cluster.ts';
import type { Controller } from './controller.ts';
import type { Facts, MemberFact } from './facts.ts';
import { compareVersions, knownMinor } from './version.ts';

/** Every host that may run a member: the controllers, and those that are to leave. */
export function hostsOf(cluster: Cluster): readonly Controller[] {
  return [...cluster.controllers, ...(cluster.departing ?? [])];
}

/** The cluster without these controllers: their hosts are looked at, and no other is told of them. */
export function withDeparting(cluster: Cluster, names: readonly string[]): Cluster {
  const leaving = cluster.controllers.filter((each) => names.includes(each.name));
  if (leaving.length === 0) return cluster;
  const departing = [...leaving, ...(cluster.departing ?? [])].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { ...cluster, controllers: cluster.controllers.filter((each) => !names.includes(each.name)), departing };
}

/** The list of a member that reads through the quorum of this cluster; undefined where none does. `clusterId` undefined: of any. */
export function quorumList(facts: Facts, clusterId: string | undefined): readonly MemberFact[] | undefined {
  return Object.values(facts.endpoints).find(
    (each) =>
      each.failure === undefined && each.linearizable && (clusterId === undefined || each.clusterId === clusterId),
  )?.members;
}

/** The entry with a controller's peer URL: of one whose address changed it is none, or another member's; {@link entryOf} knows that one. */
export function memberOf(
  list: readonly MemberFact[],
  controller: Pick<Controller, 'peerUrl'> | undefined,
): MemberFact | undefined {
  return controller && list.find((each) => each.peerUrls.includes(controller.peerUrl));
}

/** The member that a controller is: the one that its host is marked with, wherever the others dial that; else the one at its peer URL. */
export function entryOf(
  facts: Facts,
  list: readonly MemberFact[],
  controller: Pick<Controller, 'name' | 'peerUrl'>,
): MemberFact | undefined {
  const marked = facts.hosts[controller.name]?.records.marker?.memberId;
  return list.find((each) => each.id === marked) ?? memberOf(list, controller);
}

/** The host that a member runs on: the one that is marked with it, else the one with one of its peer URLs. */
export function hostOf(cluster: Cluster, facts: Facts, member: MemberFact): Controller | undefined {
  const hosts = hostsOf(cluster);
  const marked = hosts.find(({ name }) => facts.hosts[name]?.records.marker?.memberId === member.id);
  return marked ?? hosts.find((each) => member.peerUrls.includes(each.peerUrl));
}

/** What a member is called: its host's name, else its own where no controller on another host has that, else its ID. */
export function labelOf(cluster: Cluster, facts: Facts, member: MemberFact): string {
  const own = hostOf(cluster, facts, member);
  if (own !== undefined) return own.name;
  const taken = hostsOf(cluster).some((each) => each.name === member.name);
  return member.name === '' || taken ? member.id : member.name;
}

/** Whether a member was added and has not joined yet: it publishes its name once it has. */
export function neverStarted(member: MemberFact): boolean {
  return member.name === '';
}

/** Whether a member is on its way into the cluster: it has no vote yet, or has not started. */
export function isArriving(member: MemberFact): boolean {
  return member.learner || neverStarted(member);
}

/**
 * Whether etcd adds nobody, not even a learner, while any peer is not connected: up to 3.5.29 and 3.6.10 (reference/etcd-operations.md, section 4); since
 * then a majority does. By the inventory's version and by all that run.
 */
export function addsBesideAllOnly(cluster: Cluster, facts: Facts): boolean {
  const running = Object.values(facts.endpoints).flatMap((each) => (each.failure === undefined ? [each.version] : []));
  return [cluster.version, ...running].some((version) => {
    const minor = knownMinor(version);
    if (minor === undefined || minor === '3.4') return true;
    if (minor === '3.5') return compareVersions(version, '3.5.30') < 0;
    return minor === '3.6' && compareVersions(version, '3.6.11') < 0;
  });
}
