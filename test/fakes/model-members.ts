/** Who is a member in the model, by etcd's own rules: voters are counted as etcd counts them, and learners are let in one at a time. */
import type { Cluster } from '../../src/domain/cluster.ts';
import type { MemberFact } from '../../src/domain/facts.ts';
import { EtcdError } from '../../src/etcd/etcd-error.ts';

export interface ModelMembers {
  /** undefined before anything was formed: then the members are those of the inventory. */
  list(): readonly MemberFact[];
  /** The host's own entry: of its data, else of its peer URL. */
  entryOf(host: string, peerUrl: string): MemberFact | undefined;
  /** The ID of the data on a host; of the first members, before they have any too. */
  idOf(host: string): string | undefined;
  /** Whether a host with this data serves as that member. */
  holds(host: string): boolean;
  /** A first start with `existing`: whether etcd lets it join, with the members that its configuration names. */
  join(host: string, peerUrl: string, configured: readonly string[]): boolean;
  add(peerUrl: string): void;
  promote(id: string): void;
  remove(id: string): void;
  update(id: string, peerUrls: readonly string[]): void;
  /** A member that starts tells its name and its client URLs. */
  publish(host: string, name: string, clientUrls: readonly string[]): void;
  /** Every member is one that was made without TLS. */
  speakPlainly(): void;
  /** The inventory calls a host otherwise. */
  rename(from: string, to: string): void;
}

/** What the list is judged by. */
export interface Surroundings {
  /** The members that the cluster was formed with. */
  initial(): readonly MemberFact[];
  /** Hosts whose member answers, by the list's peer URL. */
  serves(member: MemberFact): boolean;
}

export function createMembers({ initial, serves }: Surroundings): ModelMembers {
  let changed: readonly MemberFact[] | undefined;
  let count = 0;
  /** IDs of the data on hosts. */
  const dataOf = new Map<string, string>();
  const list = (): readonly MemberFact[] => changed ?? initial();
  const voters = (): readonly MemberFact[] => list().filter((each) => !each.learner);
  const require = (condition: boolean, reason: string): void => {
    if (!condition) throw new EtcdError('etcd', `etcd refused: ${reason}`, { reason });
  };
  const quorate = (some: readonly MemberFact[]): boolean => some.filter(serves).length > some.length / 2;
  const find = (id: string): MemberFact => {
    const found = list().find((each) => each.id === id);
    if (found === undefined) throw new EtcdError('etcd', 'etcd refused', { reason: 'etcdserver: member not found' });
    return found;
  };
  const idOf = (host: string): string | undefined =>
    dataOf.get(host) ?? initial().find((each) => each.name === host)?.id;
  return {
    list,
    entryOf: (host, peerUrl) =>
      list().find((each) => each.id === idOf(host)) ?? list().find((each) => each.peerUrls.includes(peerUrl)),
    idOf,
    holds: (host) => list().some((each) => each.id === idOf(host)),
    join: (host, peerUrl, configured) => {
      const entry = list().find((each) => each.peerUrls.includes(peerUrl));
      if (entry === undefined || (changed !== undefined && entry.name !== '')) return false;
      const urls = list().flatMap((each) => each.peerUrls);
      if (changed !== undefined && [...urls].sort().join() !== [...configured].sort().join()) return false;
      dataOf.set(host, entry.id);
      changed = changed?.map((each) => (each === entry ? { ...each, name: host } : each));
      return true;
    },
    add: (peerUrl) => {
      require(list().every((each) => !each.peerUrls.includes(peerUrl)), 'etcdserver: Peer URLs already exists');
      require(list().every((each) => !each.learner), 'etcdserver: too many learner members in cluster');
      require(voters().every(serves), 'etcdserver: unhealthy cluster');
      count += 1;
      const id = `add${count.toString().padStart(13, '0')}`;
      changed = [...list(), { id, name: '', peerUrls: [peerUrl], clientUrls: [], learner: true }];
    },
    promote: (id) => {
      const member = find(id);
      require(member.learner, 'etcdserver: can only promote a learner member');
      require(serves(member), 'etcdserver: can only promote a learner member which is in sync with leader');
      changed = list().map((each) => (each.id === id ? { ...each, learner: false } : each));
    },
    remove: (id) => {
      const member = find(id);
      const rest = list().filter((each) => each.id !== id);
      const left = rest.filter((each) => !each.learner);
      require(quorate(voters()), 'etcdserver: no leader');
      require(member.learner || (left.length > 0 && quorate(left)), 'etcdserver: unhealthy cluster');
      changed = rest;
    },
    update: (id, peerUrls) => {
      const member = find(id);
      require(quorate(voters()), 'etcdserver: no leader');
      require(!member.learner, 'a learner that is updated gets a vote on some versions');
      const taken = list().some((each) => each !== member && each.peerUrls.some((url) => peerUrls.includes(url)));
      require(!taken, 'etcdserver: Peer URLs already exists');
      changed = list().map((each) => (each === member ? { ...each, peerUrls } : each));
    },
    publish: (host, name, clientUrls) => {
      const id = idOf(host);
      const same = (each: MemberFact): boolean => each.name === name && each.clientUrls.join() === clientUrls.join();
      if (list().every((each) => each.id !== id || same(each))) return;
      changed = list().map((each) => (each.id === id ? { ...each, name, clientUrls } : each));
    },
    speakPlainly: () => {
      const plain = (urls: readonly string[]): readonly string[] => urls.map((each) => each.replace('https:', 'http:'));
      changed = list().map((each) => ({ ...each, peerUrls: plain(each.peerUrls), clientUrls: plain(each.clientUrls) }));
    },
    rename: (from, to) => dataOf.set(to, idOf(from) ?? ''),
  };
}

/** The peer URLs that a configuration names. */
export function configuredUrls(config: string): readonly string[] {
  const line = /^initial-cluster: (.*)$/m.exec(config)?.[1] ?? '';
  return line
    .replaceAll('"', '')
    .split(',')
    .flatMap((each) => each.split('=').at(1) ?? []);
}

/** The list that an inventory's cluster is formed with. */
export function firstMembers(cluster: Cluster, ids: Readonly<Record<string, string>>): readonly MemberFact[] {
  return cluster.controllers.map(({ name, peerUrl, clientUrl }) => ({
    id: ids[name] ?? '',
    name,
    peerUrls: [peerUrl],
    clientUrls: [clientUrl],
    learner: false,
  }));
}
