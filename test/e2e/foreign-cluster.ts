/** Clusters as others make them on a stage's hosts: by flags, by an environment file, by a configuration file somewhere; with certificates of openssl, or without. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureRelease } from '../../src/lab/releases.ts';
import type { Stage } from './stage.ts';

export type ForeignLayout = 'flags' | 'environment' | 'file';

export type ForeignPort = 'client' | 'peer';

export interface ForeignWish {
  readonly version: string;
  /** One a host. */
  readonly layouts: readonly ForeignLayout[];
  /** On both ports, on one alone, or on none. */
  readonly tls: boolean | ForeignPort;
  /** Account that etcd runs as. */
  readonly user?: string;
}

/** Folder with `ca.crt` and `ca.key` with the operator, as a recipe with openssl leaves them. */
export function foreignPki(stage: Stage): string {
  return join(stage.folder, 'foreign-pki');
}

/** Makes the cluster and waits until it is healthy. Nothing of quorate takes part. */
export async function makeForeign(stage: Stage, wish: ForeignWish): Promise<void> {
  const { tarball } = await ensureRelease(wish.version);
  const folder = `etcd-v${wish.version}-linux-amd64`;
  const names = ['etcd', 'etcdctl', ...(wish.version.startsWith('3.4.') ? [] : ['etcdutl'])];
  const binaries = names.map((name) => ({
    name,
    content: execFileSync('tar', ['-xzOf', tarball, `${folder}/${name}`], { maxBuffer: 2 ** 28 }),
  }));
  if (wish.tls !== false) makeAuthority(stage);
  await Promise.all(
    wish.layouts.map(async (layout, index) => {
      const host = stage.host(index + 1);
      for (const { name, content } of binaries) await host.putFile(`/opt/etcd/bin/${name}`, content, 0o755);
      const user = wish.user ?? 'etcd';
      if (user !== 'root') await host.sh(`useradd --system --no-create-home --user-group ${user}`);
      if (wish.tls !== false) await putCertificates(stage, index + 1, user);
      await host.sh(`install -d -m 0700 -o ${user} /var/lib/etcd`);
      await putUnit(stage, index + 1, { layout, wish });
      await host.sh('systemctl daemon-reload && systemctl enable -q etcd && systemctl start --no-block etcd');
    }),
  );
  const ask = `${etcdctl(stage, 1, hasTls(wish, 'client'))} endpoint health`;
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await stage.host(1).exec(ask)).status === 0) return;
    await sleep(300);
  }
  throw new Error(
    `the cluster does not become healthy: ${(await stage.host(1).exec('journalctl -u etcd -n 20')).stdout}`,
  );
}

/** etcdctl of the foreign cluster, as its makers would call it. */
export function etcdctl(stage: Stage, number: number, tls: boolean): string {
  const scheme = tls ? 'https' : 'http';
  const shown = tls ? ' --cacert=/opt/etcd/tls/ca.crt --cert=/opt/etcd/tls/node.crt --key=/opt/etcd/tls/node.key' : '';
  return `ETCDCTL_API=3 /opt/etcd/bin/etcdctl --endpoints=${scheme}://${stage.host(number).ipv4}:2379${shown}`;
}

/** An authority in {@link foreignPki}. */
export function makeAuthority(stage: Stage): void {
  const folder = foreignPki(stage);
  mkdirSync(folder, { recursive: true });
  const days = ['-days', '3650'];
  openssl(['genrsa', '-out', join(folder, 'ca.key'), '2048']);
  openssl([
    'req',
    '-x509',
    '-new',
    '-key',
    join(folder, 'ca.key'),
    '-subj',
    '/CN=etcd-ca',
    ...days,
    '-out',
    join(folder, 'ca.crt'),
  ]);
}

/** One certificate for servers, peers and clients, as the shorter recipes have it. */
async function putCertificates(stage: Stage, number: number, user: string): Promise<void> {
  const host = stage.host(number);
  const { authority, certificate, key } = signNode(stage, number);
  await host.putFile('/opt/etcd/tls/ca.crt', authority, 0o644);
  await host.putFile('/opt/etcd/tls/node.crt', certificate, 0o644);
  await host.putFile('/opt/etcd/tls/node.key', key, 0o600);
  await host.sh(`chown ${user} /opt/etcd/tls/node.key`);
}

/** PEM of a new key for a host, its certificate for servers and clients by the authority of {@link makeAuthority}, and that authority's. */
export function signNode(
  stage: Stage,
  number: number,
): { readonly authority: Buffer; readonly certificate: Buffer; readonly key: Buffer } {
  const folder = foreignPki(stage);
  const host = stage.host(number);
  const at = (name: string): string => join(folder, `${host.name}.${name}`);
  openssl(['genrsa', '-out', at('key'), '2048']);
  openssl(['req', '-new', '-key', at('key'), '-subj', `/CN=${host.name}`, '-out', at('csr')]);
  const names = `DNS:${host.name},DNS:${host.name}.example.org,DNS:localhost,IP:${host.ipv4},IP:127.0.0.1`;
  writeFileSync(at('ext'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  const signer = [
    '-CA',
    join(folder, 'ca.crt'),
    '-CAkey',
    join(folder, 'ca.key'),
    '-CAserial',
    at('srl'),
    '-CAcreateserial',
  ];
  openssl(['x509', '-req', '-in', at('csr'), ...signer, '-days', '365', '-extfile', at('ext'), '-out', at('crt')]);
  return {
    authority: readFileSync(join(folder, 'ca.crt')),
    certificate: readFileSync(at('crt')),
    key: readFileSync(at('key')),
  };
}

async function putUnit(
  stage: Stage,
  number: number,
  { layout, wish }: { readonly layout: ForeignLayout; readonly wish: ForeignWish },
): Promise<void> {
  const host = stage.host(number);
  const settings = settingsOf(stage, number, wish);
  const lines: string[] = [];
  let command = '/opt/etcd/bin/etcd';
  if (layout === 'flags') {
    command += Object.entries(settings)
      .map(([key, value]) => ` \\\n  --${key}=${value}`)
      .join('');
  } else if (layout === 'environment') {
    const text = Object.entries(settings).map(
      ([key, value]) => `ETCD_${key.toUpperCase().replaceAll('-', '_')}=${value}\n`,
    );
    await host.putFile(
      '/etc/etcd.env',
      `# Environment file for etcd\n${text.join('')}ETCD_ROOT_PASSWORD=never-to-be-shown\n`,
      0o640,
    );
    lines.push('EnvironmentFile=-/etc/etcd.env');
  } else {
    await host.putFile('/srv/etcd-settings/node.yaml', fileOf(settings), 0o644);
    command += ' --config-file /srv/etcd-settings/node.yaml';
  }
  const unit = [
    '[Unit]',
    'Description=etcd',
    'After=network.target',
    '[Service]',
    'Type=notify',
    `User=${wish.user ?? 'etcd'}`,
  ];
  const rest = ['Restart=on-failure', 'LimitNOFILE=40000', '[Install]', 'WantedBy=multi-user.target', ''];
  await host.putFile(
    '/etc/systemd/system/etcd.service',
    [...unit, ...lines, `ExecStart=${command}`, ...rest].join('\n'),
    0o644,
  );
}

function hasTls({ tls }: ForeignWish, port: ForeignPort): boolean {
  return tls === true || tls === port;
}

function settingsOf(stage: Stage, number: number, wish: ForeignWish): Readonly<Record<string, string>> {
  const { layouts } = wish;
  const [client, peer] = [hasTls(wish, 'client'), hasTls(wish, 'peer')];
  const [clients, others] = [client ? 'https' : 'http', peer ? 'https' : 'http'];
  const { name, ipv4 } = stage.host(number);
  const members = layouts.map((_, index) => stage.host(index + 1));
  const material = {
    ...{
      'cert-file': '/opt/etcd/tls/node.crt',
      'key-file': '/opt/etcd/tls/node.key',
      'trusted-ca-file': '/opt/etcd/tls/ca.crt',
    },
  };
  const peers = Object.fromEntries(Object.entries(material).map(([key, value]) => [`peer-${key}`, value]));
  return {
    name,
    'data-dir': '/var/lib/etcd',
    'listen-peer-urls': `${others}://${ipv4}:2380`,
    'listen-client-urls': `${clients}://${ipv4}:2379,${clients}://127.0.0.1:2379`,
    'initial-advertise-peer-urls': `${others}://${ipv4}:2380`,
    'advertise-client-urls': `${clients}://${ipv4}:2379`,
    'initial-cluster': members.map((each) => `${each.name}=${others}://${each.ipv4}:2380`).join(','),
    'initial-cluster-token': 'etcd-cluster-1',
    'initial-cluster-state': 'new',
    'snapshot-count': '5000',
    ...(client ? { ...material, 'client-cert-auth': 'true' } : {}),
    ...(peer ? { ...peers, 'peer-client-cert-auth': 'true' } : {}),
  };
}

function fileOf(settings: Readonly<Record<string, string>>): string {
  const isTls = (key: string): boolean => /(cert-file|key-file|trusted-ca-file|client-cert-auth)$/.test(key);
  const plain = Object.entries(settings).filter(([key]) => !isTls(key));
  const section = (title: string, prefix: string): string => {
    const own = Object.entries(settings).filter(([key]) => isTls(key) && key.startsWith('peer-') === (prefix !== ''));
    return own.length === 0
      ? ''
      : `${title}:\n${own.map(([key, value]) => `  ${key.slice(prefix.length)}: ${value}\n`).join('')}`;
  };
  const text = plain.map(([key, value]) => `${key}: ${value}\n`).join('');
  return `${text}${section('client-transport-security', '')}${section('peer-transport-security', 'peer-')}`;
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
