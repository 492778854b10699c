/** From the members that run to the inventory that describes them, and everything that it cannot say. Pure. */
import type { MemberFact } from '../domain/facts.ts';
import { nameRule } from '../inventory/name-rules.ts';
import { certificatesOf } from './certificates.ts';
import { endpointsOf } from './endpoints.ts';
import type { FoundHost, Note } from './found.ts';
import { binariesOf, commonVersion, etcdOf, hazardsOfRunning, pathsOf, serviceOf } from './host-sections.ts';
import { type FoundMember, type TlsKind, textOf, tlsKind } from './member.ts';

export interface Description {
  /** Sections of the inventory; controllers by their new names. */
  readonly sections: Readonly<Record<string, unknown>>;
  /** Name of the controller by the host's name in the draft. */
  readonly names: Readonly<Record<string, string>>;
  readonly notes: readonly Note[];
  readonly tls: { readonly client: TlsKind; readonly peer: TlsKind };
  /** '' where no member could be asked. */
  readonly clusterId: string;
  readonly members: readonly MemberFact[];
  /** By the controller's name, 16 hexadecimal digits. */
  readonly memberIds: Readonly<Record<string, string>>;
}

/** `cluster` names it; `carried` are the draft's own keys of each controller (address, ssh, …), by the draft's names. */
export function describeCluster(
  hosts: readonly FoundHost[],
  cluster: string,
  carried: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Description {
  const notes: Note[] = [];
  const names = controllerNames(hosts, notes);
  const { clusterId, members, memberIds } = joinLists(hosts, names, notes);
  const endpoints = hosts.map((each) => ({ each, found: endpointsOf(each, notes) }));
  const usual = new Map(Object.entries({ client: 2379, peer: 2380, metrics: 2381 }));
  const controllers = endpoints.map(({ each, found }) => {
    const { ports, ...rest } = found;
    const own = Object.entries(ports).filter(([kind, port]) => usual.get(kind) !== port);
    return [
      names[each.host] ?? each.host,
      {
        ...carried[each.host],
        ...rest,
        ...certificatesOf(each, hosts).sans(rest, names[each.host] ?? ''),
        ...(own.length === 0 ? {} : { ports: Object.fromEntries(own) }),
      },
    ] as const;
  });
  const tls = tlsOf(hosts, notes);
  const version = commonVersion(hosts, notes);
  notes.push(...plaintextNotes(tls));
  const sections = {
    cluster: { name: cluster, version },
    controllers: Object.fromEntries(controllers),
    paths: pathsOf(hosts, notes),
    service: serviceOf(hosts, notes),
    etcd: { ...etcdOf(hosts, notes), ...(tls.client === 'none' ? { plaintextClients: true } : {}) },
    pki: { authorities: certificatesOf(hosts[0], hosts).kind(tls) },
    binaries: binariesOf(hosts, notes),
    acceptHazards: hazardsOfRunning(version, notes),
  };
  return { sections, names, notes, tls, clusterId, members, memberIds };
}

/** What the first apply begins, and what it leaves. */
function plaintextNotes({ client, peer }: Description['tls']): readonly Note[] {
  const note = (text: string): Note => ({ level: 'changes', host: '', text });
  return [
    ...(client === 'none'
      ? [
          note(
            'clients speak plaintext: they get TLS beside it on the same port, until etcd.plaintextClients is taken out',
          ),
        ]
      : []),
    ...(peer === 'none'
      ? [note('peers speak plaintext: they dial each other with mutual TLS once all have certificates')]
      : []),
  ];
}

/** The member's own name where an inventory can have it: etcd takes another one at its next start, and the ID stays. */
function controllerNames(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  const taken = new Set<string>();
  return Object.fromEntries(
    hosts.map(({ host, member }) => {
      const plain = member.name
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, '-')
        .replaceAll(/^-+|-+$/g, '')
        .slice(0, 60);
      const base = nameRule.check(plain) === undefined && plain !== 'default' ? plain : host;
      const name = taken.has(base) ? host : base;
      taken.add(name);
      if (name !== member.name) {
        const text = `the member calls itself ${member.name}, and an inventory has DNS labels: it becomes ${name} (etcd takes the name at its next start; its ID stays)`;
        notes.push({ level: 'changes', host, text });
      }
      return [host, name];
    }),
  );
}

function joinLists(hosts: readonly FoundHost[], names: Readonly<Record<string, string>>, notes: Note[]) {
  const lists = hosts.flatMap(({ host, list }) => (list === undefined ? [] : [{ host, list }]));
  const [first] = lists;
  const block = (host: string, text: string, hint: string): void => {
    notes.push({ level: 'blocks', host, text, hint });
  };
  if (first === undefined) {
    block(
      '',
      'no member tells its list: their peer ports did not answer',
      'look at the log of each: journalctl -u UNIT',
    );
    return { clusterId: '', members: [], memberIds: {} };
  }
  const { clusterId, members } = first.list;
  for (const { host, list } of lists.filter((each) => each.list.clusterId !== clusterId)) {
    const text = `it is a member of cluster ${list.clusterId}, and ${first.host} of ${clusterId}`;
    block(host, text, 'adopt the hosts of one cluster at a time');
  }
  const memberIds = Object.fromEntries(
    hosts.flatMap((each) => {
      const own = members.find((one) => isOwn(one, each.member));
      if (own !== undefined) return [[names[each.host] ?? each.host, own.id] as const];
      block(
        each.host,
        `the cluster's list has no member with its peer URLs`,
        'it may have been removed: etcdctl member list',
      );
      return [];
    }),
  );
  for (const each of members.filter(({ id }) => !Object.values(memberIds).includes(id))) {
    const text = `member ${each.name || '(never started)'} (${each.id}, ${each.peerUrls.join(', ')}) is on none of these hosts`;
    block('', text, 'name its host too; or remove it first, where it is dead: etcdctl member remove ID');
  }
  for (const each of members.filter(({ learner }) => learner)) {
    block('', `member ${each.name} (${each.id}) is a learner`, 'promote it first: etcdctl member promote ID');
  }
  return { clusterId, members, memberIds };
}

/** By peer URL: names may be anything, and the list's URL is what the others dial. A single member may be told under its default name. */
function isOwn(listed: MemberFact, member: FoundMember): boolean {
  const urls = member.advertisePeer.map(textOf);
  return listed.peerUrls.some((each) => urls.includes(each.replace(/\/$/, '')));
}

function tlsOf(hosts: readonly FoundHost[], notes: Note[]): Description['tls'] {
  const kinds = hosts.map(({ host, member: { settings, listenClient, listenPeer } }) => ({
    host,
    client: tlsKind(listenClient, settings.client),
    peer: tlsKind(listenPeer, settings.peer),
    further: [...settings.client.further, ...settings.peer.further],
  }));
  for (const { host, further } of kinds) {
    for (const each of further) {
      notes.push({
        level: 'changes',
        host,
        text: `${each}: quorate lets in whoever its authorities certify; see --help of certs revoke`,
      });
    }
  }
  const joined = (use: 'client' | 'peer'): TlsKind => {
    const all = [...new Set(kinds.map((each) => each[use]))];
    const [only = 'none'] = all;
    if (all.length === 1) return only;
    const text = `the ${use} ports differ: ${kinds.map((each) => `${each.host} ${each[use]}`).join(', ')}`;
    notes.push({ level: 'blocks', host: '', text, hint: 'bring the members to the same protection first' });
    return only;
  };
  return { client: joined('client'), peer: joined('peer') };
}
