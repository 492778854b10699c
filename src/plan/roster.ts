/** Who of the inventory is a member of the running cluster, and who of the cluster is not in the inventory. Pure. */
import { memberList } from '../domain/health.ts';
import { isArriving, labelOf, memberOf } from '../domain/membership.ts';
import { compareText } from '../domain/plan.ts';
import type { View } from './view.ts';

export interface Roster {
  /** Controllers whose member the cluster's list has, voters that have started; all with a mark where nobody tells the list. */
  readonly members: readonly string[];
  /** Those of them without their data. */
  readonly wiped: readonly string[];
  /** Controllers that the list has as a learner, or as one that never started. */
  readonly arriving: readonly string[];
  /** Controllers that the list does not have. */
  readonly outsiders: readonly string[];
  /** Members of the list at another peer URL than the inventory's: `from` is the list's. */
  readonly moved: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  /** Members of the list that no controller is: `etcd-4 (https://10.0.0.14:2380)`. */
  readonly strangers: readonly string[];
}

/** A member is known by its peer URL, and by the ID in its host's mark. */
export function rosterOf({ cluster, facts }: View): Roster {
  const list = memberList(facts);
  const entries = cluster.controllers.map((controller) => {
    const { name, peerUrl } = controller;
    const marker = facts.hosts[name]?.records.marker;
    const entry = memberOf(list, controller) ?? list.find((each) => each.id === marker?.memberId);
    const member = list.length === 0 ? marker !== undefined : entry !== undefined && !isArriving(entry);
    return { name, peerUrl, entry, member };
  });
  const leaving = (cluster.departing ?? []).flatMap((each) => memberOf(list, each) ?? []);
  const known = new Set([...entries.flatMap(({ entry }) => entry ?? []), ...leaving]);
  const names = (wanted: (each: (typeof entries)[number]) => boolean): readonly string[] =>
    entries.filter(wanted).map((each) => each.name);
  return {
    members: names((each) => each.member),
    wiped: names(({ name, member }) => member && facts.hosts[name]?.data.wal === false),
    arriving: names(({ entry }) => entry !== undefined && isArriving(entry)),
    outsiders: names(({ entry, member }) => entry === undefined && !member),
    moved: entries.flatMap(({ name, peerUrl, entry }) =>
      entry === undefined || entry.peerUrls.includes(peerUrl)
        ? []
        : [{ name, from: entry.peerUrls.join(', '), to: peerUrl }],
    ),
    strangers: list
      .filter((each) => !known.has(each))
      .map((each) => `${labelOf(cluster, each)} (${each.peerUrls.join(', ')})`)
      .sort(compareText),
  };
}
