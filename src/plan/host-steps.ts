/** The drafts that bring one host to the inventory, in the order in which they must land. */
import { requireArchitecture } from '../domain/architecture.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { generationsFolder } from '../domain/generation.ts';
import { binaryDir, binaryNames } from '../domain/layout.ts';
import type { Draft } from '../domain/step.ts';
import { hasNotes, need } from './need.ts';
import type { View } from './view.ts';

/** A draft whose reason is still to come from {@link need}. */
export type Candidate = Draft extends infer D ? (D extends Draft ? Omit<D, 'why'> : never) : never;

/** The unit that distributions bring: where ours has that name, and notes say that it was made, it is ours that runs. */
const DISTRIBUTION_UNIT = 'etcd.service';

/** Account, folders and binaries: nothing that a running member would pick up. */
export function prepareCandidates(view: View, controller: Controller): readonly Candidate[] {
  const { cluster } = view;
  const { name: host } = controller;
  return [
    ...packageCandidates(view, host),
    { kind: 'user.ensure', host, user: cluster.user },
    ...directories(cluster).map((each): Candidate => ({ kind: 'directory.ensure', host, ...each })),
    ...binaryCandidates(view, host),
  ];
}

/** Files that the next start reads. */
export function configureCandidates(view: View, { name: host }: Controller): readonly Candidate[] {
  return (view.desired[host]?.files ?? []).map((file): Candidate => ({ kind: 'file.put', host, ...file }));
}

/** The candidates that are needed, each with its reason. */
export function neededDrafts(view: View, candidates: readonly Candidate[]): readonly Draft[] {
  return candidates.flatMap((candidate) => {
    const draft = { ...candidate, why: '' };
    const found = need(draft, view);
    return found.needed ? [{ ...draft, why: found.reason }] : [];
  });
}

function packageCandidates(view: View, host: string): readonly Candidate[] {
  const facts = view.facts.hosts[host];
  if (facts === undefined || facts.packages.length === 0) return [];
  const packages = facts.packages.map((each) => each.name);
  const shadowed = view.cluster.unit === DISTRIBUTION_UNIT && hasNotes(facts);
  return [{ kind: 'package.hold', host, packages, unit: shadowed ? '' : DISTRIBUTION_UNIT }];
}

function binaryCandidates(view: View, host: string): readonly Candidate[] {
  const { cluster, checksums } = view;
  const directory = binaryDir(cluster);
  const link: Candidate = {
    kind: 'binary.link',
    host,
    directory,
    binDir: cluster.paths.binDir,
    names: binaryNames(cluster),
  };
  if (cluster.binaries.kind === 'system') return directory === cluster.paths.binDir ? [] : [link];
  const facts = view.facts.hosts[host];
  if (facts === undefined) return [link];
  const architecture = requireArchitecture(facts.machine, host);
  const install: Candidate = {
    kind: 'binary.install',
    host,
    version: cluster.version,
    architecture,
    directory,
    names: binaryNames(cluster),
    sha256: checksums[architecture] ?? '',
    from: describeSource(cluster),
  };
  return [install, link];
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
