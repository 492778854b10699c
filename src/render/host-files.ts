/** Every file that is rendered for one host. */
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { BOOTSTRAP_CONFIG, configFile, pkiLink } from '../domain/layout.ts';
import { compareText } from '../domain/plan.ts';
import { quote } from '../domain/shell-quote.ts';
import { minorOf } from '../domain/version.ts';
import { type EtcdConfigInput, renderEtcdConfig } from './etcd-config.ts';
import { type HostFile, rootFile } from './host-file.ts';
import { listenUrls } from './listen-urls.ts';
import { fillTemplate, type Templates } from './template.ts';
import { renderBootstrapEnvironment, renderRecordStart, renderRecordStarting, renderUnit } from './unit-files.ts';

/** All that rendering needs beside cluster and controller; the token may be the placeholder that plans show. */
export type HostFilesInput = Omit<EtcdConfigInput, 'initialClusterState'>;

/** The files that stand on a host for good, sorted by path. Throws as {@link renderEtcdConfig} does. */
export function renderHostFiles(cluster: Cluster, controller: Controller, input: HostFilesInput): readonly HostFile[] {
  return sorted([
    configuration(
      configFile(cluster),
      renderEtcdConfig(cluster, controller, { ...input, initialClusterState: 'existing' }),
      cluster,
    ),
    renderUnit(cluster, input.templates),
    renderRecordStart(cluster, input.templates),
    renderRecordStarting(cluster, input.templates),
    profile(cluster, controller, input.templates),
    completion(cluster, input.templates),
  ]);
}

/** What the one start with `new` runs from, below /run: a copy of the configuration, and what tells the unit of it. Sorted by path. */
export function renderBootstrapFiles(
  cluster: Cluster,
  controller: Controller,
  input: HostFilesInput,
): readonly HostFile[] {
  const content = renderEtcdConfig(cluster, controller, { ...input, initialClusterState: 'new' });
  return sorted([configuration(BOOTSTRAP_CONFIG, content, cluster), renderBootstrapEnvironment(input.templates)]);
}

function configuration(path: string, content: string, cluster: Cluster): HostFile {
  const why = 'etcd reads its settings from it, at start only';
  return { path, mode: '0640', owner: 'root', group: cluster.user, content, restart: true, why };
}

function profile(cluster: Cluster, controller: Controller, templates: Templates): HostFile {
  const content = fillTemplate(templates, {
    name: 'etcdctl.sh',
    variables: {
      pki: pkiLink(cluster),
      endpoint: listenUrls(controller).local,
      binDir: cluster.paths.binDir,
      api: minorOf(cluster.version) === '3.4' ? '3' : '',
    },
    escape: (value) => quote(String(value)),
  });
  return rootFile('/etc/profile.d/etcdctl.sh', content, 'etcdctl works in a login shell');
}

/** etcdctl writes its completion itself from 3.5 on. */
function completion(cluster: Cluster, templates: Templates): HostFile {
  const old = minorOf(cluster.version) === '3.4';
  const content = fillTemplate(templates, {
    name: old ? 'etcdctl-words.bash' : 'etcdctl-completion.bash',
    variables: old ? {} : { etcdctl: `${cluster.paths.binDir}/etcdctl` },
    escape: (value) => quote(String(value)),
  });
  return rootFile('/etc/bash_completion.d/etcdctl', content, 'bash completes etcdctl');
}

function sorted(files: readonly HostFile[]): readonly HostFile[] {
  return [...files].sort((left, right) => compareText(left.path, right.path));
}
