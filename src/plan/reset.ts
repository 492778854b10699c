/** Reset: stops and removes what quorate put on the hosts; data is moved aside unless its deletion was asked for by name. */

import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { AttemptRecord } from '../domain/facts.ts';
import {
  ATTEMPT_FILE,
  binaryDir,
  binaryNames,
  dataFolders,
  MARKER_FILE,
  pkiLink,
  QUORATE_RUN_DIR,
  STARTING_FILE,
} from '../domain/layout.ts';
import { dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { type Candidate, neededDrafts } from './host-steps.ts';
import { planBase, type View } from './view.ts';

export interface ResetWish {
  readonly deleteData: boolean;
  /** UUID of the cluster that the operator names where the store that knew it is lost. */
  readonly lostStore: string | undefined;
}

/** In the first lines of every file that is rendered for a host. */
const WRITTEN_BY = 'Written by quorate';

/**
 * The plan that takes the cluster away; hosts that have nothing are left alone. Last of all the store forgets that it was
 * formed: until then bootstrap builds nothing on the hosts.
 * @throws QuorateError refused where a host carries another cluster, or an etcd that quorate did not make
 */
export function planReset(view: View, wish: ResetWish): Plan {
  const { cluster } = view;
  for (const { name } of cluster.controllers) requireOurs(view, name, wish.lostStore);
  requireNoLinks(view);
  const noted = cluster.controllers.map((each) => each.name).filter((name) => recordOf(view, name) !== undefined);
  const stopping = noted.flatMap((host) =>
    neededDrafts(view, [
      { kind: 'unit.stop', host, unit: cluster.unit },
      { kind: 'unit.disable', host, unit: cluster.unit },
    ]),
  );
  const removing = cluster.controllers.flatMap(({ name: host }) =>
    neededDrafts(view, [
      ...(noted.includes(host) ? dataCandidates(cluster, host, wish.deleteData) : []),
      { kind: 'path.remove', host, paths: noted.includes(host) ? resetPaths(view, host) : unnotedPaths(view, host) },
    ]),
  );
  return dropEmptyStages({
    ...planBase(view, 'reset'),
    warnings: [],
    stages: [
      stage('stop', 'stop all members', 'parallel', stopping),
      stage('remove', 'remove what quorate made', 'parallel', removing),
      stage('forget', 'give the cluster up', 'operator', forgetting(view)),
    ],
    reasons: cluster.controllers
      .filter(({ name }) => ![...stopping, ...removing].some((each) => each.host === name))
      .map(({ name }) => ({ host: name, reason: 'nothing of quorate is there' })),
  });
}

function forgetting({ identity }: View): readonly Draft[] {
  if (identity?.formedAt === undefined) return [];
  return [{ kind: 'formation.forget', host: OPERATOR, why: `it was formed ${identity.formedAt}, and is given up` }];
}

/** Whose cluster a host carries is read from its own records: a name in an inventory is no proof. */
function requireOurs(view: View, name: string, lostStore: string | undefined): void {
  const { cluster, facts, identity } = view;
  const host = facts.hosts[name];
  if (host === undefined) return;
  const { marker } = host.records;
  const record = recordOf(view, name);
  if (record === undefined) {
    if (!host.data.wal && host.processes.length === 0) return;
    throw new QuorateError(
      'refused',
      `${name}: runs or holds an etcd that quorate did not make: reset leaves it alone`,
      {
        host: name,
        hint: 'take that host out of the inventory, or stop and remove that etcd by hand',
      },
    );
  }
  if (identity === undefined && (marker === undefined || marker.cluster === cluster.name)) {
    if (record.uuid !== lostStore) throw unknownCluster(name, record.uuid, cluster);
    return;
  }
  if (record.uuid === identity?.uuid) return;
  const whose = `${marker?.cluster ?? 'another cluster'} (UUID ${record.uuid})`;
  throw new QuorateError('refused', `${name}: belongs to ${whose}, not to this inventory's ${cluster.name}`, {
    host: name,
    hint: "use that cluster's own inventory and state directory",
  });
}

/** Data behind a link is where nobody said that quorate may take anything away. */
function requireNoLinks({ cluster, facts }: View): void {
  for (const { name } of cluster.controllers) {
    for (const { path } of dataFolders(cluster)) {
      const fact = facts.hosts[name]?.files[path];
      if (fact?.kind !== 'link') continue;
      throw new QuorateError(
        'refused',
        `${name}: ${path} is a symbolic link to ${fact.target}: reset takes no data away through a link`,
        {
          host: name,
          hint: `name the folder itself in the inventory (paths), or put it in the link's place: systemctl stop ${cluster.unit}, rm ${path}, mv ${fact.target} ${path}`,
        },
      );
    }
  }
}

function unknownCluster(name: string, uuid: string, { stateDir }: Cluster): QuorateError {
  return new QuorateError(
    'refused',
    `${name}: carries the cluster with UUID ${uuid}, and the state directory ${stateDir} knows no cluster: nothing proves that it is this inventory's`,
    {
      host: name,
      hint: `restore that state directory from its backup or repository; where it is lost for good, name the cluster to end by its UUID: quorate reset -i FILE --yes-destroy NAME --lost-store ${uuid}`,
    },
  );
}

function recordOf({ facts }: View, name: string): AttemptRecord | undefined {
  const records = facts.hosts[name]?.records;
  return records?.marker ?? records?.starting ?? records?.attempt;
}

/**
 * What a bootstrap leaves that ended before its first note: files that say so themselves, links to its own folders. There is
 * no data of quorate's then, and no unit that it started: whatever else stands at its paths is somebody else's.
 */
function unnotedPaths(view: View, host: string): readonly string[] {
  const { files = {}, texts = {} } = view.facts.hosts[host] ?? {};
  const isOwn = (path: string): boolean => {
    const fact = files[path];
    if (fact?.kind === 'link')
      return fact.target.startsWith(`${binaryDir(view.cluster)}/`) || path === pkiLink(view.cluster);
    return fact?.kind === 'file' ? (texts[path] ?? '').includes(WRITTEN_BY) : true;
  };
  return resetPaths(view, host).filter(isOwn);
}

/** Everything that quorate puts on a host, less data and the account; records last, so that a reset can be resumed. */
function resetPaths(view: View, host: string): readonly string[] {
  const { cluster } = view;
  const files = (view.desired[host]?.files ?? []).map((each) => each.path);
  return [
    ...files,
    ...links(cluster),
    pkiLink(cluster),
    `${cluster.paths.configDir}/pki.d`,
    ...(cluster.binaries.kind === 'system' ? [] : [binaryDir(cluster)]),
    `${QUORATE_RUN_DIR}/bootstrap`,
    STARTING_FILE,
    ATTEMPT_FILE,
    MARKER_FILE,
  ];
}

function links(cluster: Cluster): readonly string[] {
  if (cluster.binaries.kind === 'system' && cluster.binaries.directory === cluster.paths.binDir) return [];
  return binaryNames(cluster).map((name) => `${cluster.paths.binDir}/${name}`);
}

function dataCandidates(cluster: Cluster, host: string, deleteData: boolean): readonly Candidate[] {
  const kind = deleteData ? 'data.delete' : 'data.aside';
  return dataFolders(cluster).map((each) => ({ kind, host, ...each }));
}
