/** Clusters to render: one plain for each minor, one with values that are legal and awkward. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { Controller } from '../../../src/domain/controller.ts';
import { TOKEN_PLACEHOLDER } from '../../../src/domain/step.ts';
import type { HostFilesInput } from '../../../src/render/host-files.ts';

const folder = new URL('../../../templates/', import.meta.url);

export const templates = Object.fromEntries(
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
);

export function controller(name: string, address: string, changes: Partial<Controller> = {}): Controller {
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    name,
    transport: 'ssh',
    ssh: {
      address,
      port: 22,
      user: 'root',
      identityFiles: [],
      agent: false,
      passphraseEnv: undefined,
      passwordEnv: undefined,
      hostKey: undefined,
      knownHostsFiles: [],
      sudo: 'none',
      connectTimeoutMs: 1000,
      bastion: undefined,
    },
    listenAddresses: [address],
    advertiseAddress: address,
    clientPort: 2379,
    peerPort: 2380,
    metricsPort: 2381,
    clientUrl: `https://${host}:2379`,
    peerUrl: `https://${host}:2380`,
    sans: { dns: [name, 'localhost'], ip: ['127.0.0.1', address] },
    ...changes,
  };
}

export function cluster(version: string, changes: Partial<Cluster> = {}): Cluster {
  return {
    name: 'demo',
    version,
    controllers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((each, index) => controller(`etcd-${index + 1}`, each)),
    paths: {
      configDir: '/etc/etcd',
      dataDir: '/var/lib/etcd',
      walDir: undefined,
      libDir: '/usr/local/lib/etcd',
      binDir: '/usr/local/bin',
    },
    unit: 'etcd.service',
    user: 'etcd',
    etcd: {},
    pki: {
      authorities: 'separate',
      external: [],
      algorithm: 'ecdsa-p256',
      caLifetimeDays: 3650,
      leafLifetimeDays: 365,
      backdateMinutes: 60,
      renewBefore: { share: 1 / 3 },
      nameConstraints: undefined,
      organization: '',
      recipients: [],
      identityFile: undefined,
    },
    binaries: { kind: 'release', via: 'operator' },
    checksums: {},
    access: 'tunnel',
    acceptHazards: [],
    stateDir: '/state',
    lockFile: '/quorate.lock.yml',
    settingsText: '',
    warnings: [],
    ...changes,
  };
}

export function inputFor({ controllers }: Cluster): HostFilesInput {
  return {
    token: TOKEN_PLACEHOLDER,
    initialCluster: controllers.map(({ name, peerUrl }) => ({ name, peerUrl })),
    templates,
  };
}

/** Whatever an inventory may hold, and more: what YAML 1.1, systemd and shells would read otherwise. */
export const awkward = cluster('3.6.16', {
  controllers: [
    controller('no', 'fd00::1', { listenAddresses: ['fd00::1', '10.0.0.1'], advertiseAddress: 'fd00::1' }),
    controller('0x1f', 'fd00::2', { clientPort: 12_379, listenAddresses: ['::'] }),
    controller('1-000', 'host.example.org', { listenAddresses: ['0.0.0.0'] }),
  ],
  paths: {
    configDir: '/etc/it’s 100% "quoted"',
    dataDir: '/data/on: #1',
    walDir: '/wal/a\\b c',
    libDir: '/opt/lib etcd',
    binDir: '/opt/bin etcd',
  },
  unit: 'etcd-x.service',
  user: 'on',
  etcd: {
    cors: ['http://[fd00::1]:80', 'https://a.example.org:8443'],
    'cipher-suites': ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    'auto-compaction-mode': 'revision',
    'auto-compaction-retention': 1000,
    'distributed-tracing-service-name': '12:30:45 # "no" %h $(id) `id`',
    'socket-options': { 'reuse-address': true },
    'corrupt-check-time': '4h',
    'feature-gates': { StopGRPCServiceOnDefrag: true },
  },
});
