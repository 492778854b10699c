/** The drafts that bring one host to the inventory, in the order in which they must land. */
import { requireArchitecture } from '../domain/architecture.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { generationsFolder } from '../domain/generation.ts';
import { binaryDir, binaryNames, configFile, dataFolders, unitFile } from '../domain/layout.ts';
import type { Draft } from '../domain/step.ts';
import { hasNotes, need } from './need.ts';
import type { View } from './view.ts';

/** A draft whose reason is still to come from {@link need}. */
export type Candidate = Draft extends infer D ? (D extends Draft ? Omit<D, 'why'> : never) : never;

/** The unit that distributions bring: where ours has that name, and notes say that it was made, it is ours that runs. */
const DISTRIBUTION_UNIT = 'etcd.service';

/** Account, folders and binaries: nothing that a running member would pick up. */
export function prepareCandidates(view: View, { name: host }: Controller): readonly Candidate[] {
  return [
    ...packageCandidates(view, host),
    ...accountCandidates(view, host),
    ...binaryCandidates(view, host),
    ...linkCandidates(view, host),
  ];
}

/** Account and folders. */
export function accountCandidates({ cluster }: View, host: string): readonly Candidate[] {
  return [
    { kind: 'user.ensure', host, user: cluster.user },
    ...directories(cluster).map((each): Candidate => ({ kind: 'directory.ensure', host, ...each })),
  ];
}

/** Data that an etcd of another account has written: a member that was made elsewhere may have run as root. */
export function ownerCandidates({ cluster }: View, host: string): readonly Candidate[] {
  const { unit, user } = cluster;
  return dataFolders(cluster).map((each): Candidate => ({ kind: 'data.own', host, ...each, unit, user }));
}

/** Files that the next start reads. */
export function configureCandidates(view: View, { name: host }: Controller): readonly Candidate[] {
  return fileCandidates(view, host, () => true);
}

/** Those of them that systemd runs etcd by: its unit, and the scripts beside the configuration. */
export function unitCandidates(view: View, host: string): readonly Candidate[] {
  return fileCandidates(view, host, (path) => runsUnit(view.cluster, path));
}

/** The others: etcd's settings, and what etcdctl needs. */
export function settingCandidates(view: View, host: string): readonly Candidate[] {
  return fileCandidates(view, host, (path) => !runsUnit(view.cluster, path));
}

function runsUnit(cluster: Cluster, path: string): boolean {
  if (path === unitFile(cluster)) return true;
  return path !== configFile(cluster) && path.startsWith(`${cluster.paths.configDir}/`);
}

function fileCandidates({ desired }: View, host: string, wanted: (path: string) => boolean): readonly Candidate[] {
  const files = (desired[host]?.files ?? []).filter(({ path }) => wanted(path));
  return files.map((file): Candidate => ({ kind: 'file.put', host, ...file }));
}

/** The candidates that are needed, each with its reason. */
export function neededDrafts(view: View, candidates: readonly Candidate[]): readonly Draft[] {
  return candidates.flatMap((candidate) => {
    const draft = { ...candidate, why: '' };
    const found = need(draft, view);
    return found.needed ? [{ ...draft, why: found.reason }] : [];
  });
}

/** Keeps a distribution's etcd from starting or restarting one beside ours. */
export function packageCandidates(view: View, host: string): readonly Candidate[] {
  const facts = view.facts.hosts[host];
  if (facts === undefined || facts.packages.length === 0) return [];
  const packages = facts.packages.map((each) => each.name);
  const shadowed = view.cluster.unit === DISTRIBUTION_UNIT && hasNotes(facts);
  return [{ kind: 'package.hold', host, packages, unit: shadowed ? '' : DISTRIBUTION_UNIT }];
}

/** The folder of the version, beside others. */
export function binaryCandidates({ cluster, checksums, facts }: View, host: string): readonly Candidate[] {
  const seen = facts.hosts[host];
  if (cluster.binaries.kind === 'system' || seen === undefined) return [];
  const architecture = requireArchitecture(seen.machine, host);
  return [
    {
      kind: 'binary.install',
      host,
      version: cluster.version,
      architecture,
      directory: binaryDir(cluster),
      names: binaryNames(cluster),
      sha256: checksums[architecture] ?? '',
      from: describeSource(cluster),
    },
  ];
}

/** The links to the version in use. */
export function linkCandidates({ cluster }: View, host: string): readonly Candidate[] {
  const [directory, { binDir }] = [binaryDir(cluster), cluster.paths];
  if (cluster.binaries.kind === 'system' && directory === binDir) return [];
  return [{ kind: 'binary.link', host, directory, binDir, names: binaryNames(cluster) }];
}

/** Where binaries come from, in words. */
export function describeSource(cluster: Cluster): string {
  const { binaries } = cluster;
  switch (binaries.kind) {
    case 'release':
      return 'the official release';
    case 'mirror':
      return binaries.url;
    case 'file':
      return binaries.path;
    case 'system':
      return binaries.directory;
  }
}

/** Less /var/lib/quorate: taking the lock makes it, before any step. */
function directories(cluster: Cluster): readonly { path: string; mode: string; owner: string; group: string }[] {
  const { paths, user } = cluster;
  const root = { owner: 'root', group: 'root' };
  return [
    { path: paths.configDir, mode: '0755', ...root },
    { path: generationsFolder(cluster), mode: '0755', ...root },
    { path: paths.dataDir, mode: '0700', owner: user, group: user },
    ...(paths.walDir === undefined ? [] : [{ path: paths.walDir, mode: '0700', owner: user, group: user }]),
  ];
}
