/** One running member, from what its process was told and etcd's own defaults. Pure. */
import type { Minor } from '../domain/version.ts';
import { knownMinor } from '../domain/version.ts';
import { type FoundSettings, type FoundTls, readSettings } from './settings.ts';
import type { FoundProcess } from './survey.ts';

export interface FoundUrl {
  readonly tls: boolean;
  /** IP address or DNS name, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Who made the cluster, as far as its layout tells. */
export type Layout = 'kubeadm' | 'kubespray' | 'etcdadm' | 'distribution' | 'config-file' | 'flags' | 'environment';

export interface FoundMember {
  readonly process: FoundProcess;
  readonly settings: FoundSettings;
  readonly layout: Layout;
  readonly minor: Minor | undefined;
  /** As etcd knows it. */
  readonly name: string;
  /** Absolute, as the process sees them. '' where the WAL lies in the data dir. */
  readonly dataDir: string;
  readonly walDir: string;
  readonly advertisePeer: readonly FoundUrl[];
  readonly advertiseClient: readonly FoundUrl[];
  readonly listenPeer: readonly FoundUrl[];
  readonly listenClient: readonly FoundUrl[];
  readonly metrics: readonly FoundUrl[];
}

/** etcd's own (embed/config.go): what counts where nothing is said. */
const defaults = {
  name: 'default',
  'listen-peer-urls': 'http://localhost:2380',
  'listen-client-urls': 'http://localhost:2379',
  'initial-advertise-peer-urls': 'http://localhost:2380',
  'advertise-client-urls': 'http://localhost:2379',
} as const;

/** What the process is as a member. */
export function readMember(found: FoundProcess): FoundMember {
  const settings = withWholePaths(readSettings(found), found.cwd);
  const told = (key: string): string => wordOf(settings.keys[key]);
  const name = told('name') || defaults.name;
  const at = (path: string): string => absolute(path, found.cwd);
  const urls = (key: keyof typeof defaults): readonly FoundUrl[] => readUrls(told(key) || defaults[key]);
  return {
    process: found,
    settings,
    layout: layoutOf(found, settings),
    minor: knownMinor(found.version),
    name,
    dataDir: at(told('data-dir') || `${name}.etcd`),
    walDir: told('wal-dir') === '' ? '' : at(told('wal-dir')),
    advertisePeer: urls('initial-advertise-peer-urls'),
    advertiseClient: urls('advertise-client-urls'),
    listenPeer: urls('listen-peer-urls'),
    listenClient: urls('listen-client-urls'),
    metrics: readUrls(told('listen-metrics-urls')),
  };
}

/** `mutual`: both sides show certificates; `one-way`: clients show none; `auto`: etcd signs its own; `none`: plaintext. */
export type TlsKind = 'mutual' | 'one-way' | 'auto' | 'none';

/** How a port is protected; a client port may speak plaintext beside TLS, and then counts as plaintext. */
export function tlsKind(listens: readonly FoundUrl[], tls: FoundTls): TlsKind {
  const dialled = listens.filter((each) => !isLoopbackHost(each.host));
  const asked = dialled.length > 0 ? dialled : listens;
  if (asked.length === 0 || asked.some((each) => !each.tls)) return 'none';
  if (tls.autoTls && tls.certFile === '') return 'auto';
  return tls.trustedCaFile === '' ? 'one-way' : 'mutual';
}

/** As etcd writes it: `https://10.0.0.1:2380`. */
export function textOf({ tls, host, port }: FoundUrl): string {
  return `http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** A path as the process meant it. */
function absolute(path: string, cwd: string): string {
  const whole = path.startsWith('/') ? path : `${cwd || '/'}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function withWholePaths(settings: FoundSettings, cwd: string): FoundSettings {
  const whole = (tls: FoundTls): FoundTls => {
    const at = (path: string): string => (path === '' ? '' : absolute(path, cwd));
    return { ...tls, certFile: at(tls.certFile), keyFile: at(tls.keyFile), trustedCaFile: at(tls.trustedCaFile) };
  };
  return { ...settings, client: whole(settings.client), peer: whole(settings.peer) };
}

function readUrls(text: string): readonly FoundUrl[] {
  return text
    .slice(0, 4096)
    .split(',')
    .flatMap((each) => {
      const [, scheme, bracketed, plain, port] =
        /^(https?):\/\/(?:\[([0-9a-fA-F:.%]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})\/?$/.exec(each.trim()) ?? [];
      const host = bracketed ?? plain;
      return host === undefined || Number(port) > 65_535 ? [] : [{ tls: scheme === 'https', host, port: Number(port) }];
    });
}

function layoutOf({ supervisor, fragmentPath, environment }: FoundProcess, settings: FoundSettings): Layout {
  const { trustedCaFile } = settings.client;
  if (supervisor === 'static-pod') return 'kubeadm';
  if (trustedCaFile.startsWith('/etc/ssl/etcd/ssl/')) return 'kubespray';
  if (trustedCaFile === '/etc/etcd/pki/ca.crt' && Object.keys(environment).length > 0) return 'etcdadm';
  if (/^\/(usr\/)?lib\/systemd\//.test(fragmentPath)) return 'distribution';
  return settings.source.kind === 'file' ? 'config-file' : settings.source.kind;
}

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
