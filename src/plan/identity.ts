/** Who the cluster and its members are: computed before the first start, and told by the cluster's own list and its marks ever after. Pure. */
import type { Cluster } from '../domain/cluster.ts';
import type { AttemptRecord, Facts, MemberFact } from '../domain/facts.ts';
import { entryOf, hostsOf, quorumList } from '../domain/membership.ts';
import type { StoredIdentity } from '../domain/pki-view.ts';
import type { Identity } from '../domain/verdict.ts';
import { clusterId, memberId } from './ids.ts';

/**
 * IDs as computed from the inventory while nothing was formed. Of a formed cluster the ID is that of its marks (members that came later do not change it),
 * and a member's that of the list, else that of its own mark; one that the list lacks has none.
 */
export function identityOf(cluster: Cluster, stored: StoredIdentity | undefined, facts: Facts): Identity | undefined {
  if (stored === undefined) return undefined;
  const { uuid, token, formedAt } = stored;
  const computed = Object.fromEntries(
    cluster.controllers.map(({ name, peerUrl }) => [name, memberId([peerUrl], token)] as const),
  );
  const own = { uuid, token, formedAt };
  const known = markedId(stored, facts);
  if (known === undefined) return { ...own, memberIds: computed, clusterId: clusterId(Object.values(computed)) };
  const list = quorumList(facts, known);
  return {
    ...own,
    clusterId: known,
    memberIds: list === undefined ? notedIds(cluster, stored, facts) : listedIds(cluster, facts, list),
  };
}

type Ids = Readonly<Record<string, string>>;

/** The cluster's ID by the marks of its hosts: that of most of them; undefined where none has one. */
function markedId(stored: StoredIdentity, facts: Facts): string | undefined {
  const counts = new Map<string, number>();
  for (const { records } of Object.values(facts.hosts)) {
    if (!isOwn(records.marker, stored)) continue;
    counts.set(records.marker.clusterId, (counts.get(records.marker.clusterId) ?? 0) + 1);
  }
  return [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0];
}

/** By the list: an address may be another since, and a mark that of a member which is gone. */
function listedIds(cluster: Cluster, facts: Facts, list: readonly MemberFact[]): Ids {
  const ids = hostsOf(cluster).flatMap((controller) => {
    const member = entryOf(facts, list, controller);
    return member === undefined ? [] : [[controller.name, member.id] as const];
  });
  return Object.fromEntries(ids);
}

/** While the cluster tells nothing: what hosts have noted. */
function notedIds(cluster: Cluster, stored: StoredIdentity, facts: Facts): Ids {
  const ids = hostsOf(cluster).flatMap(({ name }) => {
    const { marker, attempt } = facts.hosts[name]?.records ?? {};
    const record = [marker, attempt].find((each) => isOwn(each, stored));
    return record === undefined ? [] : [[name, record.memberId] as const];
  });
  return Object.fromEntries(ids);
}

function isOwn<T extends AttemptRecord>(record: T | undefined, { uuid, token }: StoredIdentity): record is T {
  return record !== undefined && record.uuid === uuid && record.token === token;
}
