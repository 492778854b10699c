/** A cluster of three whose paths all lie below one folder, for probes of this machine. */
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { Controller } from '../../../src/domain/controller.ts';

export function sampleController(
  name: string,
  ports: readonly [number, number, number] = [2379, 2380, 2381],
): Controller {
  const [clientPort, peerPort, metricsPort] = ports;
  const advertiseAddress = `10.0.0.${name.slice(-1)}`;
  return {
    name,
    transport: 'local',
    ssh: {
      address: advertiseAddress,
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
    listenAddresses: [advertiseAddress],
    advertiseAddress,
    clientPort,
    peerPort,
    metricsPort,
    clientUrl: `https://${advertiseAddress}:${clientPort}`,
    peerUrl: `https://${advertiseAddress}:${peerPort}`,
    sans: { dns: ['localhost', name], ip: ['127.0.0.1', '::1', advertiseAddress] },
  };
}

export function sampleCluster(root = '', change: Partial<Cluster> = {}): Cluster {
  return {
    name: 'demo',
    version: '3.6.16',
    controllers: ['etcd-1', 'etcd-2', 'etcd-3'].map((each) => sampleController(each)),
    paths: {
      configDir: `${root}/etc/etcd`,
      dataDir: `${root}/var/lib/etcd`,
      walDir: undefined,
      libDir: `${root}/usr/local/lib/etcd`,
      binDir: `${root}/usr/local/bin`,
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
    stateDir: '/nowhere/.quorate/demo',
    lockFile: '/nowhere/quorate.lock.yml',
    settingsText: '{}',
    warnings: [],
    ...change,
  };
}
