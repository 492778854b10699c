/** etcd's keys of a running member as an inventory has them: what was set, and etcd's own default where quorate's is another one. Pure. */
import { checkEtcdKeys } from '../domain/etcd-keys.ts';
import { etcdDefaults } from '../domain/etcd-keys-defaults.ts';
import { ownedKeys } from '../domain/etcd-keys-owned.ts';
import type { Minor } from '../domain/version.ts';
import type { FoundMember } from './member.ts';

type Settings = Readonly<Record<string, unknown>>;

export interface EtcdSection {
  /** Below `etcd:`. */
  readonly keys: Settings;
  /** What could not be carried over, each `KEY: why`. */
  readonly left: readonly string[];
}

/** Keys that quorate writes itself, to the same effect or described elsewhere: nothing is lost. */
const covered = new Set([
  ...['name', 'data-dir', 'wal-dir', 'listen-peer-urls', 'listen-client-urls', 'listen-metrics-urls'],
  ...['advertise-client-urls', 'initial-advertise-peer-urls', 'initial-cluster', 'initial-cluster-state'],
  ...['initial-cluster-token', 'logger', 'log-outputs', 'log-output', 'config-file', 'discovery-fallback'],
]);

/** Values at which an owned key says no more than quorate does. */
const harmless: Readonly<Record<string, unknown>> = {
  'strict-reconfig-check': true,
  'force-new-cluster': false,
  'enable-v2': false,
  'auto-tls': false,
  'peer-auto-tls': false,
  debug: false,
  proxy: 'off',
  'enable-log-rotation': false,
};

/** The section for one member. */
export function etcdSection(member: FoundMember): EtcdSection {
  const { settings, minor, process } = member;
  if (minor === undefined) return { keys: {}, left: [] };
  const defaults = asEtcdHasIt(minor, settings.source.kind === 'file');
  const told = Object.entries(settings.keys).filter(([key, value]) => !covered.has(key) && harmless[key] !== value);
  const owned = told.flatMap(([key]) => (ownedKeys[key] === undefined ? [] : [`${key}: ${ownedKeys[key]}`]));
  const keys = joinGates(Object.fromEntries(told.filter(([key]) => ownedKeys[key] === undefined)), defaults);
  // Together, because some are judged by others: five heartbeats fit into an election timeout.
  const problems = checkEtcdKeys(process.version, keys);
  const bad = new Set(problems.map(({ path }) => path[0]));
  return {
    keys: Object.fromEntries(Object.entries(keys).filter(([key]) => !bad.has(key))),
    left: [...owned, ...problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`)],
  };
}

/** etcd's own defaults (embed/config.go) of the keys that quorate has others for. */
function asEtcdHasIt(minor: Minor, fromFile: boolean): Settings {
  const own: Settings = {
    'heartbeat-interval': 100,
    'election-timeout': 1000,
    'snapshot-count': minor === '3.4' || minor === '3.5' ? 100_000 : 10_000,
    'quota-backend-bytes': '2GiB',
    'auto-compaction-mode': 'periodic',
    'auto-compaction-retention': '0',
    'pre-vote': minor !== '3.4',
    'enable-grpc-gateway': minor !== '3.4' || !fromFile,
  };
  const ours = etcdDefaults(minor);
  const gates = Object.keys(Object(ours['feature-gates'])).map((each) => [each, false] as const);
  const differing = Object.entries(own).filter(([key, value]) => !sameSetting(value, ours[key]));
  return { ...Object.fromEntries(differing), 'feature-gates': Object.fromEntries(gates) };
}

function sameSetting(left: unknown, right: unknown): boolean {
  return left === right || (left === '2GiB' && right === 2 ** 31);
}

/** Over the defaults. Gates may be told as one text, as a mapping, and before 3.6 as keys of their own: what etcd's default is gives way to each of them. */
function joinGates(told: Settings, defaults: Settings): Settings {
  const experimental: Readonly<Record<string, string>> = {
    'experimental-compact-hash-check-enabled': 'CompactHashCheck',
    'experimental-initial-corrupt-check': 'InitialCorruptCheck',
  };
  const own = told['feature-gates'];
  const named = typeof own === 'string' ? gatesOf(own) : Object(own);
  const twice = Object.entries(experimental).flatMap(([key, gate]) => (key in told ? [gate] : []));
  const all = Object.entries({ ...Object(defaults['feature-gates']), ...named });
  const gates = Object.fromEntries(all.filter(([gate]) => !twice.includes(gate)));
  const { 'feature-gates': _told, ...rest } = { ...defaults, ...told };
  return Object.keys(gates).length === 0 ? rest : { ...rest, 'feature-gates': gates };
}

function gatesOf(text: string): Readonly<Record<string, boolean>> {
  return Object.fromEntries(
    text.split(',').flatMap((each) => {
      const [, gate, value] = /^\s*(\w+)=(true|false)\s*$/.exec(each) ?? [];
      return gate === undefined ? [] : [[gate, value === 'true'] as const];
    }),
  );
}
