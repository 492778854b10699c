/** What a running etcd was told, whoever told it: its flags, its environment, or the one file that replaces both. Pure; hosts may lie. */
import { parseDocument } from 'yaml';
import { etcdKeyRows, featureGates } from '../domain/etcd-keys-table.ts';

/** Where the settings of a process come from. */
export type SettingsSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'flags' }
  | { readonly kind: 'environment' };

/** Settings of one port's TLS, as paths on the host. '' where nothing is said. */
export interface FoundTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly trustedCaFile: string;
  readonly clientCertAuth: boolean;
  /** Certificates that etcd makes at each start and nobody signs. */
  readonly autoTls: boolean;
  /** Whatever else restricts or widens who is let in: `allowed-cn`, `crl-file`, … */
  readonly further: readonly string[];
}

/** Settings by the names of the configuration file; TLS apart. */
export interface FoundSettings {
  readonly source: SettingsSource;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly client: FoundTls;
  readonly peer: FoundTls;
  /** What was said and has no effect, each a sentence. */
  readonly ignored: readonly string[];
}

/** What a process was started with. */
export interface Invocation {
  /** Without the program itself. */
  readonly arguments: readonly string[];
  /** ETCD_* variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Text of the file that `configPath` names; undefined where there is none, or it was not read. */
  readonly configText: string | undefined;
}

/** Flags that take no value of their own (Go's flag package): the word behind them is the next flag. */
const switches = new Set([
  ...Object.entries(etcdKeyRows).flatMap(([name, row]) =>
    row.type === 'bool' ? [name, row.experimentalName ?? `experimental-${name}`] : [],
  ),
  ...Object.values(featureGates).flatMap(({ key }) => key ?? []),
  ...['client-cert-auth', 'peer-client-cert-auth', 'auto-tls', 'peer-auto-tls', 'strict-reconfig-check', 'enable-v2'],
  ...['force-new-cluster', 'debug', 'version', 'enable-log-rotation', 'socket-reuse-port', 'socket-reuse-address'],
  ...['memory-mlock', 'experimental-memory-mlock', 'experimental-peer-skip-client-san-verification'],
  ...['peer-skip-client-san-verification', 'discovery-insecure-transport', 'discovery-insecure-skip-tls-verify'],
]);

/** Flags of the client port's TLS; those of the peer port have `peer-` before them. */
const tlsFlags = [
  ...['cert-file', 'key-file', 'trusted-ca-file', 'client-cert-auth', 'auto-tls', 'crl-file'],
  ...['client-cert-file', 'client-key-file', 'cert-allowed-cn', 'cert-allowed-hostname'],
] as const;

const MAX_CONFIG_CHARACTERS = 262_144;

/** Whether these arguments run a member: `etcd gateway` and `etcd grpc-proxy` do not. */
export function runsMember(words: readonly string[]): boolean {
  const [first = ''] = words;
  return first !== 'gateway' && first !== 'grpc-proxy' && !words.some((each) => /^--?version(=true)?$/.test(each));
}

/** The path of the configuration file that etcd was given; undefined where it was given none. */
export function configPath({
  arguments: words,
  environment,
}: Pick<Invocation, 'arguments' | 'environment'>): string | undefined {
  const path = readFlags(words).get('config-file') ?? environment['ETCD_CONFIG_FILE'] ?? '';
  return path === '' ? undefined : path;
}

/** What the process goes by. With a configuration file etcd reads nothing else (etcdmain/config.go, parse). */
export function readSettings(invocation: Invocation): FoundSettings {
  const flags = readFlags(invocation.arguments);
  const variables = readEnvironment(invocation.environment);
  const path = configPath(invocation);
  if (path !== undefined) {
    const others = [...flags.keys(), ...variables.keys()].filter((each) => each !== 'config-file');
    const ignored = [...new Set(others)].map((each) => `${each}: ignored by etcd beside ${path}`);
    return fromFile(path, invocation.configText ?? '', ignored);
  }
  const told = new Map([...variables, ...flags]);
  const kind = flags.size === 0 && variables.size > 0 ? 'environment' : 'flags';
  return fromFlags({ kind }, told);
}

/** `--a=b`, `--a b`, `-a b`, `--switch`; what is no flag is passed over. The last one of a name counts. */
export function readFlags(words: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const [, name, value] = /^--?([a-z0-9][a-z0-9-]*)(?:=([\s\S]*))?$/.exec(words[index] ?? '') ?? [];
    if (name === undefined) continue;
    if (value !== undefined) found.set(name, value);
    else if (switches.has(name)) found.set(name, 'true');
    else {
      index += 1;
      found.set(name, words[index] ?? '');
    }
  }
  return found;
}

/** `ETCD_LISTEN_PEER_URLS` is `listen-peer-urls`; an empty variable says nothing (pkg/flags, SetFlagsFromEnv). */
function readEnvironment(environment: Invocation['environment']): ReadonlyMap<string, string> {
  const entries = Object.entries(environment).flatMap(([name, value]) => {
    const [, rest] = /^ETCD_([A-Z0-9_]+)$/.exec(name) ?? [];
    return rest === undefined || value === '' ? [] : [[rest.toLowerCase().replaceAll('_', '-'), value] as const];
  });
  return new Map(entries);
}

function fromFlags(source: SettingsSource, told: ReadonlyMap<string, string>): FoundSettings {
  const isTls = (name: string): boolean => tlsFlags.some((each) => name === each || name === `peer-${each}`);
  const plain = [...told].filter(([name]) => !isTls(name) && name !== 'config-file' && !name.startsWith('client-crl'));
  const sockets = plain.filter(([name]) => name.startsWith('socket-reuse-'));
  const keys = Object.fromEntries(
    plain.filter((each) => !sockets.includes(each)).map(([name, value]) => [name, typed(name, value)]),
  );
  const options = Object.fromEntries(sockets.map(([name, value]) => [name.replace('socket-', ''), value === 'true']));
  return {
    source,
    keys: sockets.length === 0 ? keys : { ...keys, 'socket-options': options },
    client: tlsOf((name) => told.get(name) ?? (name === 'crl-file' ? told.get('client-crl-file') : undefined)),
    peer: tlsOf((name) => told.get(`peer-${name}`)),
    ignored: [],
  };
}

function fromFile(path: string, text: string, ignored: readonly string[]): FoundSettings {
  const document = readMapping(text);
  const nested = (name: string): Readonly<Record<string, unknown>> => toRecord(document[name]);
  const lists = { client: nested('ClientTLSInfo'), peer: nested('PeerTLSInfo') };
  const port = (name: string, crl: unknown): FoundTls => {
    const section = nested(name);
    return tlsOf((key) => {
      if (key === 'crl-file') return wordOf(crl);
      const short = key.replace('cert-allowed-', 'allowed-');
      const value = section[key] ?? section[short];
      return Array.isArray(value) ? value.map(String).join(',') : wordOf(value);
    });
  };
  const sections = ['client-transport-security', 'peer-transport-security', 'ClientTLSInfo', 'PeerTLSInfo'];
  const flat = Object.keys(document).filter((key) => tlsFlags.some((each) => key === each || key === `peer-${each}`));
  return {
    source: { kind: 'file', path },
    keys: Object.fromEntries(
      Object.entries(document).filter(
        ([key, value]) => !sections.includes(key) && !flat.includes(key) && value !== null && value !== '',
      ),
    ),
    client: port('client-transport-security', lists.client['CRLFile']),
    peer: port('peer-transport-security', lists.peer['CRLFile']),
    ignored: [
      ...ignored,
      ...flat.map((each) => `${each}: stands flat in ${path}, where etcd ignores it without a word`),
    ],
  };
}

function tlsOf(value: (name: (typeof tlsFlags)[number]) => string | undefined): FoundTls {
  const restricting = ['crl-file', 'cert-allowed-cn', 'cert-allowed-hostname'] as const;
  return {
    certFile: value('cert-file') ?? '',
    keyFile: value('key-file') ?? '',
    trustedCaFile: value('trusted-ca-file') ?? '',
    clientCertAuth: value('client-cert-auth') === 'true',
    autoTls: value('auto-tls') === 'true',
    further: restricting.flatMap((name) => {
      const found = value(name) ?? '';
      return found === '' ? [] : [`${name}: ${found}`];
    }),
  };
}

/** A flag's text as the file would have it: numbers and truth values are no strings there. */
function typed(name: string, value: string): unknown {
  const row = etcdKeyRows[name.replace(/^experimental-/, '')];
  if (switches.has(name)) return value === 'true' || value === '1' || value === 't';
  if (row === undefined || Array.isArray(row.type)) return value;
  if (row.type === 'string-list') return value.split(',');
  return /^\d{1,15}$/.test(value) && row.type !== 'string' && row.type !== 'retention' ? Number(value) : value;
}

/** etcd reads YAML 1.1, and JSON as a part of it; anything that is no mapping says nothing. */
function readMapping(text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_CONFIG_CHARACTERS) return {};
  try {
    const document = parseDocument(text, { version: '1.1', logLevel: 'silent' });
    // Written out and read again, so that an alias of what it stands in fails here.
    const plain: unknown = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? 'null');
    return document.errors.length > 0 ? {} : toRecord(plain);
  } catch {
    return {};
  }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function wordOf(value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'object') return undefined;
  return String(value);
}
