/** From the members that run to the inventory that describes them, and everything that it cannot say. Pure. */
import type { MemberFact } from '../domain/facts.ts';
import { hazardsOf } from '../domain/hazards.ts';
import { parseIp } from '../inventory/address.ts';
import { nameRule, unitRule, versionRule } from '../inventory/name-rules.ts';
import { existingDirRule, ownDirRule } from '../inventory/path-rules.ts';
import { etcdSection } from './as-it-is.ts';
import { certificatesOf } from './certificates.ts';
import { type FoundMember, isLoopbackHost, type TlsKind, textOf, tlsKind } from './member.ts';
import type { MemberList } from './member-list.ts';
import type { HostDetails, HostSurvey } from './survey.ts';

/** One host of the draft and what was found on it. */
export interface FoundHost {
  /** The controller's key in the draft. */
  readonly host: string;
  /** What SSH dials. */
  readonly address: string;
  readonly survey: HostSurvey;
  readonly member: FoundMember;
  readonly details: HostDetails;
  /** As this member tells it; undefined where it could not be asked. */
  readonly list: MemberList | undefined;
}

/** `blocks`: cannot be adopted as it is. `changes`: will be another with the first apply. `told`: worth knowing. */
export interface Note {
  readonly level: 'blocks' | 'changes' | 'told';
  readonly host: string;
  readonly text: string;
  readonly hint?: string;
}

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
  const usual = { client: 2379, peer: 2380, metrics: 2381 };
  const controllers = endpoints.map(({ each, found }) => {
    const { ports, ...rest } = found;
    const own = Object.entries(ports).filter(([kind, port]) => usual[kind as keyof typeof usual] !== port);
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
  const sections = {
    cluster: { name: cluster, version },
    controllers: Object.fromEntries(controllers),
    paths: pathsOf(hosts, notes),
    service: serviceOf(hosts, notes),
    etcd: etcdOf(hosts, notes),
    pki: { authorities: certificatesOf(hosts[0], hosts).kind(tls) },
    binaries: binariesOf(hosts, notes),
    acceptHazards: hazardsOfRunning(version, notes),
  };
  return { sections, names, notes, tls, clusterId, members, memberIds };
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

function endpointsOf({ host, address, member, survey }: FoundHost, notes: Note[]) {
  const [peer] = member.advertisePeer;
  const [client] = member.advertiseClient;
  const change = (text: string): void => {
    notes.push({ level: 'changes', host, text });
  };
  const advertise = peer?.host ?? address;
  if (isLoopbackHost(advertise) || peer === undefined) {
    notes.push({
      level: 'changes',
      host,
      text: `it advertises ${peer === undefined ? 'nothing that can be dialled' : textOf(peer)}, which only this host can dial: members and clients get ${address}`,
    });
  }
  const dialled = isLoopbackHost(advertise) || peer === undefined ? address : advertise;
  for (const each of [...member.advertisePeer.slice(1), ...member.advertiseClient.slice(1)]) {
    change(`${textOf(each)} is advertised too; quorate advertises one URL for each port`);
  }
  if (client !== undefined && client.host !== advertise && !isLoopbackHost(client.host)) {
    change(
      `clients are told ${client.host}, and peers ${advertise}: both will be told ${dialled}; certificates carry both names`,
    );
  }
  const ports = {
    client: client?.port ?? 2379,
    peer: peer?.port ?? 2380,
    metrics: metricsPort(host, member, notes),
  };
  for (const each of member.listenClient.filter(({ port }) => port !== ports.client)) {
    change(`it listens for clients on ${textOf(each)} too; quorate serves one client port (${ports.client})`);
  }
  const listened = [...member.listenPeer, ...member.listenClient].map((each) => each.host);
  const any = listened.find((each) => each === '0.0.0.0' || each === '::');
  const own = listened.filter((each) => !isLoopbackHost(each) && parseIp(each) !== undefined);
  const listen = any !== undefined ? [any] : [...new Set(own)];
  const found = listen.length > 0 ? listen : [survey.addresses.includes(dialled) ? dialled : '0.0.0.0'];
  const plain = found.length === 1 && found[0] === dialled && dialled === address && parseIp(address) !== undefined;
  if (plain) return { ports };
  const single = found.length === 1 ? found[0] : undefined;
  if (single !== undefined && single === dialled && parseIp(single) !== undefined)
    return { privateAddress: single, ports };
  return { advertiseAddress: dialled, listenAddresses: found, ports };
}

function metricsPort(host: string, member: FoundMember, notes: Note[]): number {
  const [first] = member.metrics;
  const used = [...member.listenClient, ...member.listenPeer].map((each) => each.port);
  if (first === undefined) return used.includes(2381) ? 2382 : 2381;
  if (member.metrics.some((each) => !isLoopbackHost(each.host))) {
    const text = `metrics are served on ${member.metrics.map(textOf).join(', ')}; quorate serves them on loopback alone`;
    notes.push({ level: 'changes', host, text });
  }
  return used.includes(first.port) ? 2381 : first.port;
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

function commonVersion(hosts: readonly FoundHost[], notes: Note[]): string {
  const versions = [...new Set(hosts.map(({ member }) => member.process.version))];
  const [first = ''] = versions;
  if (versions.length > 1) {
    const text = `members run different versions: ${hosts.map(({ host, member }) => `${host} ${member.process.version}`).join(', ')}`;
    notes.push({ level: 'blocks', host: '', text, hint: 'finish that upgrade first, member by member' });
  }
  const flaw = versionRule.check(first);
  if (flaw === undefined) return first;
  const text = `etcd ${first || '(unknown version)'} ${flaw.problem}`;
  notes.push({
    level: 'blocks',
    host: '',
    text,
    hint: 'quorate knows 3.4 to 3.7: bring it to 3.4 first, by the guides of its time',
  });
  return '3.4.45';
}

function pathsOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  const data = commonPath(hosts, notes, { what: 'data dir', of: ({ dataDir }) => dataDir });
  const wal = commonPath(hosts, notes, { what: 'WAL dir', of: ({ walDir }) => walDir });
  const used = hosts.some(({ survey: { there } }) => (there['/etc/etcd/pki'] ?? 'symbolic link') !== 'symbolic link');
  if (wal !== '' && !wal.endsWith('/wal')) {
    const text = `its WAL lies in ${wal}, and quorate keeps one in a folder named wal`;
    notes.push({
      level: 'blocks',
      host: '',
      text,
      hint: `move it member by member: stop it, mv ${wal} ${wal}.d/wal, set wal-dir, start it`,
    });
  }
  return {
    ...(used ? { configDir: '/etc/quorate' } : {}),
    ...(data === '/var/lib/etcd' || data === '' ? {} : { dataDir: data }),
    ...(wal.endsWith('/wal') ? { walDir: wal.slice(0, -4) } : {}),
  };
}

function commonPath(
  hosts: readonly FoundHost[],
  notes: Note[],
  { what, of }: { readonly what: string; readonly of: (member: FoundMember) => string },
): string {
  const found = hosts.map(({ host, member }) => ({ host, path: of(member) }));
  const [first] = found;
  if (first === undefined || found.every(({ path }) => path === '')) return '';
  const flaw = ownDirRule.check(first.path);
  if (found.some(({ path }) => path !== first.path)) {
    const text = `members have different ${what}s: ${found.map(({ host, path }) => `${host} ${path}`).join(', ')}`;
    notes.push({
      level: 'blocks',
      host: '',
      text,
      hint: `an inventory has one for all: stop a member, move it to /var/lib/etcd, start it; one at a time`,
    });
  } else if (flaw !== undefined) {
    notes.push({ level: 'blocks', host: '', text: `the ${what} ${first.path} ${flaw.problem}`, hint: flaw.remedy });
  }
  return first.path;
}

function serviceOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  const units = [...new Set(hosts.map(({ member }) => member.process.unit))];
  const users = [...new Set(hosts.map(({ member }) => member.process.user))];
  const [unit = ''] = units;
  const [user = ''] = users;
  for (const { host, member } of hosts) {
    const { supervisor, executable, dropIns } = member.process;
    const ours = dropIns.filter((each) => each.startsWith('/etc/systemd/system/'));
    if (supervisor !== 'systemd') {
      const by = {
        'static-pod': 'the kubelet, as a static pod',
        container: 'a container engine',
        process: 'nobody: it is a plain process',
      };
      const hint =
        supervisor === 'static-pod'
          ? 'kubeadm changes it; quorate looks at it and no more (see docs/from-tutorials.md)'
          : `run it as a systemd unit first, on the same data dir; ${executable}`;
      notes.push({ level: 'blocks', host, text: `its etcd is run by ${by[supervisor]}`, hint });
    }
    for (const each of ours) {
      notes.push({
        level: 'blocks',
        host,
        text: `${each} changes the unit, and would change quorate's too`,
        hint: `look at it, and move it away: its unit keeps running until a restart`,
      });
    }
  }
  if (units.length > 1 || unitRule.check(unit) !== undefined) {
    notes.push({
      level: 'changes',
      host: '',
      text: `the members run as ${units.join(', ') || 'no unit'}; quorate's unit is ${unit || 'etcd.service'}`,
    });
  }
  if (users.length > 1 || user === 'root') {
    notes.push({
      level: 'changes',
      host: '',
      text: `etcd runs as ${users.join(', ')}; quorate runs it as etcd, which gets the data dir`,
    });
  }
  return {
    ...(unit === 'etcd.service' || unitRule.check(unit) !== undefined ? {} : { unit }),
    ...(users.length === 1 && user !== 'root' && user !== 'etcd' && /^[a-z_][a-z0-9_-]{0,30}$/.test(user)
      ? { user }
      : {}),
  };
}

function etcdOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, unknown>> {
  const sections = hosts.map((each) => ({ host: each.host, ...etcdSection(each.member) }));
  const [first] = sections;
  for (const { host, left } of sections) for (const each of left) notes.push({ level: 'changes', host, text: each });
  for (const { host, member } of hosts) {
    for (const each of member.settings.ignored) notes.push({ level: 'told', host, text: each });
  }
  for (const each of sections.slice(1)) {
    const keys = [...new Set([...Object.keys(first?.keys ?? {}), ...Object.keys(each.keys)])];
    for (const key of keys.filter((one) => JSON.stringify(first?.keys[one]) !== JSON.stringify(each.keys[one]))) {
      const text = `${key} is ${JSON.stringify(each.keys[key])} here and ${JSON.stringify(first?.keys[key])} on ${first?.host}: the inventory has the latter for all`;
      notes.push({ level: 'changes', host: each.host, text });
    }
  }
  return first?.keys ?? {};
}

/** As they are, unless they lie where quorate puts its links: then it installs the same version, and the links replace them. */
function binariesOf(hosts: readonly FoundHost[], notes: Note[]): Readonly<Record<string, string>> {
  const folders = [...new Set(hosts.map(({ member }) => member.process.executable.replace(/\/[^/]*$/, '')))];
  const [folder = ''] = folders;
  const wanted = hosts[0]?.member.minor === '3.4' ? ['etcdctl'] : ['etcdctl', 'etcdutl'];
  const lacking = wanted.filter((name) => hosts.some(({ details }) => details.seen[`${folder}/${name}`] === undefined));
  const named = hosts.every(({ member }) => member.process.executable.endsWith('/etcd'));
  const usable = folder !== LINKS && existingDirRule.check(folder) === undefined;
  if (folders.length === 1 && named && lacking.length === 0 && usable) return { source: 'system', directory: folder };
  const without = lacking.length === 0 ? '' : ` without ${lacking.join(', ')}`;
  const text = `the binaries lie in ${folders.join(', ')}${without}: quorate installs the official release of the same version, with links in ${LINKS}`;
  notes.push({ level: 'changes', host: '', text });
  return { source: 'release' };
}

/** Where an inventory has the links to the binaries in use, unless it says otherwise. */
const LINKS = '/usr/local/bin';

/** It runs already: refusing the version would keep it from being upgraded away. */
function hazardsOfRunning(version: string, notes: Note[]): readonly string[] {
  const refused = hazardsOf(version).filter(({ severity }) => severity === 'refuse');
  for (const { id, reason } of refused) {
    notes.push({
      level: 'told',
      host: '',
      text: `etcd ${version}: ${reason} (${id}): accepted in the inventory because it runs; upgrade soon`,
      hint: 'quorate upgrade',
    });
  }
  return refused.map(({ id }) => id);
}
