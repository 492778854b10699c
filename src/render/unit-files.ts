/** The files that systemd runs etcd by: its unit, the environment of the one start with `new`, and the scripts that it runs. */
import type { Cluster } from '../domain/cluster.ts';
import {
  ATTEMPT_FILE,
  BOOTSTRAP_CONFIG,
  BOOTSTRAP_ENVIRONMENT,
  configFile,
  DIGESTS_NAME,
  INODE_FORMAT,
  pkiLink,
  QUORATE_RUN_DIR,
  STARTING_FILE,
  unitFile,
  walFolder,
} from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';
import { minorOf } from '../domain/version.ts';
import { type HostFile, rootFile } from './host-file.ts';
import { fillTemplate, type Templates, type TemplateValue } from './template.ts';
import { unitWord } from './unit-word.ts';

/** The hardened unit; it runs the links in binDir, so that a version is swapped without touching it. */
export function renderUnit(cluster: Cluster, templates: Templates): HostFile {
  const { dataDir, walDir } = cluster.paths;
  const content = fillTemplate(templates, {
    name: 'etcd.service',
    variables: {
      ...commands(cluster),
      config: configFile(cluster),
      environment: BOOTSTRAP_ENVIRONMENT,
      user: cluster.user,
      dataDir,
      walDir: walDir ?? '',
      // 3.5 and newer support every architecture that etcd is released for (etcdmain, checkSupportArch).
      unsupportedArchitecture: minorOf(cluster.version) === '3.4' ? 'arm64' : '',
    },
    escape: toUnitWord,
  });
  return { ...rootFile(unitFile(cluster), content, 'systemd runs etcd by it, hardened'), restart: true };
}

/** What replaces the configuration for the one start with `new`; read at each start, so that systemd need not be told when it goes. */
export function renderBootstrapEnvironment(templates: Templates): HostFile {
  const variables = { config: BOOTSTRAP_CONFIG };
  const content = fillTemplate(templates, { name: 'bootstrap.env', variables, escape: String });
  return { ...rootFile(BOOTSTRAP_ENVIRONMENT, content, 'the one start that forms the cluster'), restart: true };
}

/** The script that notes, at each start, what the process is about to read. */
export function renderRecordStart(cluster: Cluster, templates: Templates): HostFile {
  const content = fillTemplate(templates, {
    name: 'record-start.sh',
    variables: {
      etcd: `${cluster.paths.binDir}/etcd`,
      unit: cluster.unit,
      unitFile: unitFile(cluster),
      pki: pkiLink(cluster),
      runDir: QUORATE_RUN_DIR,
      record: `${QUORATE_RUN_DIR}/${cluster.unit}.run`,
      digests: DIGESTS_NAME,
      inode: INODE_FORMAT,
    },
    escape: toShellWord,
  });
  return rootFile(recordStartFile(cluster), content, 'notes what each start uses, since nothing tells later');
}

/** The script that notes durably that this host starts for the first time, be it with `new` or with `existing`. */
export function renderRecordStarting(cluster: Cluster, templates: Templates): HostFile {
  const content = fillTemplate(templates, {
    name: 'record-starting.sh',
    variables: { attempt: ATTEMPT_FILE, starting: STARTING_FILE, wal: walFolder(cluster) },
    escape: toShellWord,
  });
  return rootFile(recordStartingFile(cluster), content, 'notes durably that the host’s member was started');
}

function commands(cluster: Cluster): Readonly<Record<'etcd' | 'recordStart' | 'recordStarting', string>> {
  const etcd = `${cluster.paths.binDir}/etcd`;
  return { etcd, recordStart: recordStartFile(cluster), recordStarting: recordStartingFile(cluster) };
}

function recordStartFile(cluster: Cluster): string {
  return `${cluster.paths.configDir}/record-start.sh`;
}

function recordStartingFile(cluster: Cluster): string {
  return `${cluster.paths.configDir}/record-starting.sh`;
}

function toUnitWord(value: TemplateValue): string {
  return unitWord(String(value));
}

function toShellWord(value: TemplateValue): string {
  return quote(String(value));
}
