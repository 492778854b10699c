/** What was found of a cluster that quorate did not make: as a table with notes, as data, and compared with an inventory. */
import type { Description } from '../adopt/describe.ts';
import type { FoundHost } from '../adopt/found.ts';
import { tlsKind } from '../adopt/member.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Ports } from './command.ts';

/** A row a member, then everything that the inventory cannot say. */
export function showFound(
  hosts: readonly FoundHost[],
  { names, memberIds, notes, clusterId }: Description,
  ports: Ports,
): void {
  const { ui } = ports;
  const columns = ['host', 'member', 'ID', 'etcd', 'made by', 'runs as', 'data dir', 'clients', 'peers'];
  ui.table({
    columns: columns.map((title) => ({ title })),
    rows: hosts.map(({ host, address, member }) => {
      const { process, settings, layout, listenClient, listenPeer, dataDir, name } = member;
      return [
        address,
        name,
        memberIds[names[host] ?? ''] ?? '?',
        process.version || '?',
        layout,
        `${process.unit || process.supervisor} (${process.user})`,
        dataDir,
        `${tlsKind(listenClient, settings.client)}`,
        `${tlsKind(listenPeer, settings.peer)}`,
      ];
    }),
  });
  if (clusterId !== '') ui.out(`cluster ${clusterId}`);
  for (const { level, host, text } of notes) {
    const line = host === '' ? text : `${host}: ${text}`;
    if (level === 'changes') ui.warn(`changes with the first apply: ${line}`);
    if (level === 'told' || level === 'kept') ui.warn(line);
  }
}

/** For `--json`: no file's content, and of the environment nothing. */
export function toJson(hosts: readonly FoundHost[], { names, memberIds, notes, clusterId, tls }: Description): object {
  const members = hosts.map(({ host, address, member }) => ({
    controller: names[host],
    address,
    name: member.name,
    id: memberIds[names[host] ?? ''],
    version: member.process.version,
    layout: member.layout,
    supervisor: member.process.supervisor,
    unit: member.process.unit,
    user: member.process.user,
    dataDir: member.dataDir,
    settings: member.settings.source,
  }));
  return { clusterId, tls, members, notes };
}

/** In words, where an inventory says another thing than what runs; keys of etcd may differ, as that is what `apply` is for. */
export function differencesOf(inventory: Cluster, found: Cluster): readonly string[] {
  const texts = (cluster: Cluster): Readonly<Record<string, string>> => ({
    version: cluster.version,
    'data dir': cluster.paths.dataDir,
    'WAL dir': cluster.paths.walDir ?? '(in the data dir)',
    unit: cluster.unit,
    'etcd.plaintextClients': String(cluster.plaintextClients === true),
    ...Object.fromEntries(
      cluster.controllers.map((each) => [`controller ${each.name}`, `${each.peerUrl} and ${each.clientUrl}`]),
    ),
  });
  const [ours, theirs] = [texts(inventory), texts(found)];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .filter((key) => ours[key] !== theirs[key])
    .map((key) => `${key} is ${ours[key] ?? '(none)'} there and ${theirs[key] ?? '(none)'} here`);
}
