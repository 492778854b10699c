/** etcd's configuration file: from the cluster to text, proved to say what was meant and nothing that this minor would ignore. */
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { effectiveEtcdKeys, knowsEtcdKey } from '../domain/etcd-keys.ts';
import { pkiLink, walFolder } from '../domain/layout.ts';
import type { Use } from '../domain/pki-view.ts';
import { compareText } from '../domain/plan.ts';
import { listenUrls } from './listen-urls.ts';
import { fillTemplate, type Templates } from './template.ts';
import { yamlValue } from './yaml-value.ts';

interface InitialMember {
  readonly name: string;
  readonly peerUrl: string;
}

export interface EtcdConfigInput {
  /** The cluster's token, or a placeholder for it; it stands in double quotes. */
  readonly token: string;
  readonly initialCluster: readonly InitialMember[];
  /** `new` only in the copy that bootstrap's one start reads. */
  readonly initialClusterState: 'new' | 'existing';
  /** Ports for which there is a revocation list; absent: none. A list that is named here and not on the host keeps everybody out. */
  readonly revocations?: readonly Use[] | undefined;
  readonly templates: Templates;
}

type Settings = Readonly<Record<string, unknown>>;

/**
 * The text of etcd-config.yml for one member; the same for the same input, whatever the order of members and keys.
 * Throws QuorateError `inventory` for keys that this version does not read, and an Error where the template says
 * anything but what was meant.
 */
export function renderEtcdConfig(cluster: Cluster, controller: Controller, input: EtcdConfigInput): string {
  const settings = effectiveEtcdKeys(cluster.version, cluster.etcd);
  const member = memberSettings(cluster, controller, input);
  const lists = revocationLists(cluster, input.revocations ?? []);
  const text = fillTemplate(input.templates, {
    name: 'etcd-config.yml',
    variables: { ...variables(member), pki: pkiLink(cluster), lists: lines(lists), settings: lines(settings) },
    escape: yamlValue,
  });
  verify(cluster.version, text, { ...intended(member, pkiLink(cluster)), ...nested(lists), ...settings });
  return text;
}

interface MemberSettings {
  readonly name: string;
  readonly 'data-dir': string;
  readonly 'wal-dir': string;
  readonly 'listen-peer-urls': string;
  readonly 'listen-client-urls': string;
  readonly 'listen-metrics-urls': string;
  readonly 'initial-advertise-peer-urls': string;
  readonly 'advertise-client-urls': string;
  readonly 'initial-cluster': string;
  readonly 'initial-cluster-state': string;
  readonly 'initial-cluster-token': string;
}

function memberSettings(cluster: Cluster, controller: Controller, input: EtcdConfigInput): MemberSettings {
  const plaintext = cluster.plaintextClients === true;
  const urls = listenUrls(controller, plaintext);
  const members = [...input.initialCluster].sort((left, right) => compareText(left.name, right.name));
  return {
    name: controller.name,
    'data-dir': cluster.paths.dataDir,
    'wal-dir': cluster.paths.walDir === undefined ? '' : walFolder(cluster),
    'listen-peer-urls': urls.peer,
    'listen-client-urls': urls.client,
    'listen-metrics-urls': urls.metrics,
    'initial-advertise-peer-urls': controller.peerUrl,
    'advertise-client-urls': plaintext
      ? `${controller.clientUrl.replace(/^https/, 'http')},${controller.clientUrl}`
      : controller.clientUrl,
    'initial-cluster': members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(','),
    'initial-cluster-state': input.initialClusterState,
    'initial-cluster-token': input.token,
  };
}

/** Path of the list by the Go field that etcd reads it into: tried on 3.4.23, 3.5.35, 3.6.16 and 3.7.3 (reference/etcd-operations.md, section 1). */
function revocationLists(cluster: Cluster, uses: readonly Use[]): Readonly<Record<string, string>> {
  const field = { client: 'ClientTLSInfo', peer: 'PeerTLSInfo' } as const;
  const wanted = (['client', 'peer'] as const).filter((use) => uses.includes(use));
  return Object.fromEntries(wanted.map((use) => [field[use], `${pkiLink(cluster)}/${use}.crl`]));
}

function nested(lists: Readonly<Record<string, string>>): Settings {
  return Object.fromEntries(Object.entries(lists).map(([key, path]) => [key, { CRLFile: path }]));
}

/** What the file must say beside the operator's keys. */
function intended(member: MemberSettings, pki: string): Settings {
  const { 'wal-dir': walDir, ...rest } = member;
  const security = (leaf: string, authority: string): Settings => ({
    'cert-file': `${pki}/${leaf}.crt`,
    'key-file': `${pki}/${leaf}.key`,
    'trusted-ca-file': `${pki}/${authority}.crt`,
    'client-cert-auth': true,
  });
  return {
    ...rest,
    ...(walDir === '' ? {} : { 'wal-dir': walDir }),
    'strict-reconfig-check': true,
    'client-transport-security': security('server', 'ca'),
    'peer-transport-security': security('peer', 'peer-ca'),
    logger: 'zap',
    'log-outputs': ['stderr'],
  };
}

/** Keys that quorate writes itself and that every minor reads (reference/etcd-config-keys.csv). */
const ownKeys: readonly string[] = [
  ...['name', 'data-dir', 'wal-dir', 'listen-peer-urls', 'listen-client-urls', 'listen-metrics-urls'],
  ...['initial-advertise-peer-urls', 'advertise-client-urls', 'initial-cluster', 'initial-cluster-state'],
  ...['initial-cluster-token', 'strict-reconfig-check', 'client-transport-security', 'peer-transport-security'],
  ...['logger', 'log-outputs', 'ClientTLSInfo', 'PeerTLSInfo'],
];

function verify(version: string, text: string, expected: Settings): void {
  const parsed: unknown = parse(text, { version: '1.1' });
  const differing = Object.keys({ ...toRecord(parsed), ...expected }).filter(
    (key) => !isDeepStrictEqual(toRecord(parsed)[key], expected[key]),
  );
  if (differing.length > 0) throw new Error(`etcd-config.yml: does not say what was meant: ${differing.join(', ')}`);
  const ignored = Object.keys(expected).filter((key) => !ownKeys.includes(key) && !knowsEtcdKey(version, key));
  if (ignored.length > 0) throw new Error(`etcd-config.yml: etcd ${version} would ignore ${ignored.join(', ')}`);
}

function toRecord(value: unknown): Settings {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function variables(member: MemberSettings) {
  return {
    name: member.name,
    dataDir: member['data-dir'],
    walDir: member['wal-dir'],
    listenPeerUrls: member['listen-peer-urls'],
    listenClientUrls: member['listen-client-urls'],
    listenMetricsUrls: member['listen-metrics-urls'],
    peerUrl: member['initial-advertise-peer-urls'],
    clientUrl: member['advertise-client-urls'],
    initialCluster: member['initial-cluster'],
    initialClusterState: member['initial-cluster-state'],
    token: member['initial-cluster-token'],
  };
}

function lines(settings: Settings): readonly (readonly [string, string])[] {
  return Object.entries(settings).map(([key, value]) => [key, yamlValue(value)]);
}
