/** Who of the inventory is a member of the running cluster, and who of the cluster is not in the inventory. Pure. */
import type { Controller } from '../domain/controller.ts';
import type { Facts, MemberFact } from '../domain/facts.ts';
import { memberList } from '../domain/health.ts';
import { entryOf, isArriving, labelOf } from '../domain/membership.ts';
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
  /** Controllers whose member the list has at another peer URL than the inventory. */
  readonly moved: readonly Move[];
  /** Controllers whose member calls itself by another name. */
  readonly renamed: readonly { readonly name: string; readonly entry: MemberFact }[];
  /** Members of the list that no controller is: `etcd-4 (https://10.0.0.14:2380)`. */
  readonly strangers: readonly string[];
}

/** A member that is to be at another peer URL. */
export interface Move {
  readonly name: string;
  /** As the list has it. */
  readonly entry: MemberFact;
  readonly to: string;
}

/** A member is known by the ID in its host's mark and by its peer URL; one whose host was not looked at, by its name too. */
export function rosterOf({ cluster, facts }: View): Roster {
  const list = memberList(facts);
  const entries = cluster.controllers.map((controller) => {
    const { name, peerUrl } = controller;
    const entry = entryOf(facts, list, controller) ?? namesake(facts, list, controller);
    const marked = facts.hosts[name]?.records.marker !== undefined;
    return { name, peerUrl, entry, member: list.length === 0 ? marked : entry !== undefined && !isArriving(entry) };
  });
  const leaving = (cluster.departing ?? []).flatMap((each) => entryOf(facts, list, each) ?? []);
  const known = new Set([...entries.flatMap(({ entry }) => entry ?? []), ...leaving]);
  const names = (wanted: (each: (typeof entries)[number]) => boolean): readonly string[] =>
    entries.filter(wanted).map((each) => each.name);
  return {
    members: names((each) => each.member),
    wiped: names(({ name, member }) => member && facts.hosts[name]?.data.wal === false),
    arriving: names(({ entry }) => entry !== undefined && isArriving(entry)),
    outsiders: names(({ entry, member }) => entry === undefined && !member),
    moved: entries.flatMap(({ name, peerUrl, entry }) =>
      entry === undefined || entry.peerUrls.includes(peerUrl) ? [] : [{ name, entry, to: peerUrl }],
    ),
    renamed: entries.flatMap(({ name, entry }) =>
      entry === undefined || isArriving(entry) || entry.name === name ? [] : [{ name, entry }],
    ),
    strangers: list
      .filter((each) => !known.has(each))
      .map((each) => `${labelOf(cluster, facts, each)} (${each.peerUrls.join(', ')})`)
      .sort(compareText),
  };
}

/** Nothing tells the mark of a host that cannot be reached. */
function namesake(facts: Facts, list: readonly MemberFact[], { name }: Controller): MemberFact | undefined {
  return facts.hosts[name] === undefined ? list.find((each) => each.name === name) : undefined;
}
