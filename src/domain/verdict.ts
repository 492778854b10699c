/**
 * What the hosts are, taken together: nothing yet, a bootstrap that did not finish, a cluster that has been formed, or a
 * state in which building a cluster could lose data. The worst known accident is a tool that takes wiped hosts for new
 * ones: two of three wiped and started with `new` give a green cluster without its data (etcd 3.4 and 3.5).
 */
import type { Cluster } from './cluster.ts';
import type { Facts, HostFacts } from './facts.ts';
import { BOOTSTRAP_ENVIRONMENT } from './layout.ts';
import { memberOf, neverStarted, quorumList } from './membership.ts';
import { agreeing } from './plural.ts';

/** Who the cluster is, computed before its first start from peer URLs and token. IDs are 16 hexadecimal digits. */
export interface Identity {
  readonly uuid: string;
  readonly token: string;
  readonly clusterId: string;
  /** RFC 3339: since when the store knows that it has been formed; undefined: it never was, or was given up. */
  readonly formedAt: string | undefined;
  /** By controller name. */
  readonly memberIds: Readonly<Record<string, string>>;
}

/** How a member's next start has to be done. */
export type StartState = 'new' | 'existing' | 'started';

export type Verdict =
  | { readonly kind: 'new' }
  /** Some hosts took part in a bootstrap that did not finish; every one can go on. */
  | { readonly kind: 'unfinished'; readonly starts: Readonly<Record<string, StartState>> }
  /**
   * It has been healthy once: a marker or the store says so. `unmarked` members still lack theirs; `arriving` ones are in the list and have no vote
   * yet, or never started; `outsiders` are controllers that the list lacks.
   */
  | ({ readonly kind: 'formed' } & Formed)
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string };

interface Formed {
  readonly unmarked: readonly string[];
  readonly arriving: readonly string[];
  readonly outsiders: readonly string[];
}

/** Judges the hosts; every controller must be in `facts.hosts` (unreachable hosts are the caller's to refuse). */
export function judgeCluster(cluster: Cluster, facts: Facts, identity: Identity | undefined): Verdict {
  const hosts = cluster.controllers.flatMap((each) => facts.hosts[each.name] ?? []);
  return foreignState(cluster, hosts, identity) ?? judgeOwn(hosts, facts, { cluster, identity });
}

function judgeOwn(
  hosts: readonly HostFacts[],
  facts: Facts,
  { cluster, identity }: { readonly cluster: Cluster; readonly identity: Identity | undefined },
): Verdict {
  const marker = hosts.find((each) => each.records.marker !== undefined)?.records.marker;
  const formedAt = marker?.healthyAt ?? identity?.formedAt;
  if (formedAt !== undefined) return judgeFormed(hosts, formedAt, placesOf(cluster, facts, identity));
  const begun = hosts.filter((each) => each.data.wal || startsNow(each));
  if (begun.length === 0) {
    const attempted = hosts.some((each) => each.records.attempt !== undefined || isActive(each));
    return attempted ? { kind: 'unfinished', starts: startsOf(hosts, begun, 'new') } : { kind: 'new' };
  }
  const lost = hosts.filter((each) => !begun.includes(each) && hadItsTurn(each));
  if (lost.length > 0) return wiped(lost, begun, byHand(lost));
  const changed = begun.find((each) => startedAs(each) !== identity?.clusterId);
  if (changed !== undefined) return membersChanged(changed, identity);
  return { kind: 'unfinished', starts: startsOf(hosts, begun, hasLeader(facts, identity) ? 'existing' : 'new') };
}

/** Whether a member's first start is under way: its process runs, or is about to, and has not come to its WAL yet. */
function startsNow({ unit, files }: HostFacts): boolean {
  const starting = unit.activeState === 'activating' && (unit.subState === 'start-pre' || unit.subState === 'start');
  return starting && unit.restarts === 0 && (files[BOOTSTRAP_ENVIRONMENT]?.kind ?? 'absent') !== 'absent';
}

/**
 * Whether a host without data may have had some: it began to start, or its notes are gone. Every host durably notes its
 * attempt before the first of them starts, so a host without that note, beside one with data, was emptied since.
 */
function hadItsTurn({ records }: HostFacts): boolean {
  return records.starting !== undefined || records.attempt === undefined;
}

/** The ID of the cluster that a host's member was started in: it follows from all peer URLs and the token. */
function startedAs({ records }: HostFacts): string | undefined {
  return (records.starting ?? records.attempt)?.clusterId;
}

function membersChanged(host: HostFacts, identity: Identity | undefined): Verdict {
  return {
    kind: 'refused',
    message: `${host.host}: was started as a member of cluster ${startedAs(host)}, and this inventory's members would form ${identity?.clusterId}: its controllers or their peer URLs were changed after the bootstrap began`,
    hint: 'put them back as they were and run the same command again; or give all data up by name: quorate reset -i FILE --yes-destroy NAME',
  };
}

type Place = 'member' | 'arriving' | 'never-started' | 'outsider';

/** What each controller is by the list of this cluster's quorum; without that, every one is taken for a member that has its data. */
function placesOf(cluster: Cluster, facts: Facts, identity: Identity | undefined): Readonly<Record<string, Place>> {
  const list = identity === undefined ? undefined : quorumList(facts, identity.clusterId);
  if (list === undefined) return {};
  const places = cluster.controllers.map((controller): readonly [string, Place] => {
    const marked = identity?.memberIds[controller.name];
    const member = list.find((each) => each.id === marked) ?? memberOf(list, controller);
    if (member === undefined) return [controller.name, 'outsider'];
    if (neverStarted(member)) return [controller.name, 'never-started'];
    return [controller.name, member.learner ? 'arriving' : 'member'];
  });
  return Object.fromEntries(places);
}

/**
 * Every member had its data when the cluster was formed: a host without any has lost it, or is another machine. But for those that the cluster itself says
 * have never started, and those that it does not know.
 */
function judgeFormed(hosts: readonly HostFacts[], formedAt: string, places: Readonly<Record<string, Place>>): Verdict {
  const at = (...wanted: readonly Place[]): readonly HostFacts[] =>
    hosts.filter(({ host }) => wanted.includes(places[host] ?? 'member'));
  const names = (some: readonly HostFacts[]): readonly string[] => some.map((each) => each.host);
  const lost = at('member', 'arriving').filter((each) => !each.data.wal);
  if (lost.length === 0) {
    return {
      kind: 'formed',
      unmarked: names(at('member').filter((each) => !each.records.marker)),
      arriving: names(at('arriving', 'never-started')),
      outsiders: names(at('outsider')),
    };
  }
  if (lost.length === hosts.length) return hosts.some(hasRecord) ? allLost(formedAt) : strangers(formedAt);
  const rest = hosts.filter((each) => each.data.wal);
  return wiped(lost, rest, byReplacing(lost));
}

function hasRecord({ records }: HostFacts): boolean {
  return (records.marker ?? records.starting ?? records.attempt) !== undefined;
}

function allLost(formedAt: string): Verdict {
  return {
    kind: 'refused',
    message: `this cluster has been healthy (since ${formedAt}), and no member has its data any more: starting it anew would hide the loss`,
    hint: 'restore a snapshot, or give the data up by name: quorate reset -i FILE --yes-destroy NAME',
  };
}

function strangers(formedAt: string): Verdict {
  return {
    kind: 'refused',
    message: `this cluster has been formed (${formedAt}), and its hosts carry nothing of it: either these are other machines, or all of them were emptied; built anew it would be an empty cluster under the same name and UUID`,
    hint: 'check the addresses of the controllers first; where the machines are really gone, restore a snapshot, or give the data up by name: quorate reset -i FILE --yes-destroy NAME, then bootstrap',
  };
}

/** While it has not been formed, no other verb takes it for a cluster. */
function byHand(lost: readonly HostFacts[]): string {
  return `remove and add the member (etcdctl member remove, then member add) on ${lost.map((each) => each.host).join(', ')}`;
}

function byReplacing([first, ...more]: readonly HostFacts[]): string {
  const others = more.length === 0 ? '' : ', then the others, one after the other';
  return `quorate member replace ${first?.host} -i FILE gives the member its data anew${others}`;
}

function wiped(lost: readonly HostFacts[], withData: readonly HostFacts[], mended: string): Verdict {
  const names = lost.map((each) => each.host).join(', ');
  const others = withData.map((each) => each.host).join(', ');
  const rejoin =
    withData.length > lost.length
      ? `a majority still has the data: ${mended}`
      : `save a snapshot from ${others} first; only then decide which data is the cluster's`;
  return {
    kind: 'refused',
    message: `${names}: ${was(lost)}, while ${others} ${agreeing(withData.length, 'has', 'have')}: starting ${agreeing(lost.length, 'it', 'them')} as new could form a second, empty cluster under the same ID`,
    hint: `${rejoin}; or give all data up by name: quorate reset -i FILE --yes-destroy NAME`,
  };
}

function was(lost: readonly HostFacts[]): string {
  const count = lost.length;
  return lost.some(hasRecord)
    ? `${agreeing(count, 'was started before and has', 'were started before and have')} no data now`
    : `${agreeing(count, 'has', 'have')} neither data nor a record of this cluster`;
}

function foreignState(
  cluster: Cluster,
  hosts: readonly HostFacts[],
  identity: Identity | undefined,
): Verdict | undefined {
  for (const host of hosts) {
    const { marker, starting, attempt } = host.records;
    const own = [marker, starting, attempt].filter((each) => each !== undefined);
    const record = own.find((each) => each.uuid !== identity?.uuid) ?? own[0];
    if (record !== undefined && identity === undefined) {
      return {
        kind: 'refused',
        message: `${host.host}: belongs to a cluster with UUID ${record.uuid}, and the state directory ${cluster.stateDir} holds no cluster`,
        hint: 'restore that state directory from its backup or repository: it holds the authorities of this cluster',
      };
    }
    if (record !== undefined && identity !== undefined && record.uuid !== identity.uuid) {
      return {
        kind: 'refused',
        message: `${host.host}: belongs to another cluster (UUID ${record.uuid}; this inventory's is ${identity.uuid})`,
        hint: "use that cluster's inventory and state directory, or reset the host with them first",
      };
    }
    if (record === undefined && host.data.wal) {
      return {
        kind: 'refused',
        message: `${host.host}: ${cluster.paths.dataDir} holds the data of an etcd that this inventory did not make`,
        hint: `look at it first; when it is not needed, move it aside on the host: mv ${cluster.paths.dataDir} ${cluster.paths.dataDir}.old`,
      };
    }
  }
  return undefined;
}

function startsOf(
  hosts: readonly HostFacts[],
  begun: readonly HostFacts[],
  missing: StartState,
): Readonly<Record<string, StartState>> {
  return Object.fromEntries(hosts.map((each) => [each.host, begun.includes(each) ? 'started' : missing]));
}

function hasLeader(facts: Facts, identity: Identity | undefined): boolean {
  return Object.values(facts.endpoints).some(
    (each) =>
      each.failure === undefined &&
      each.linearizable &&
      each.leaderId !== '0' &&
      each.clusterId === identity?.clusterId,
  );
}

function isActive(host: HostFacts): boolean {
  return host.unit.activeState === 'active' || host.unit.activeState === 'activating';
}
