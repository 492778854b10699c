import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { resolveCluster } from '../../../src/inventory/resolve.ts';
import { inventoryText, parse } from './samples.ts';

function resolve(replaced: Readonly<Record<string, string>> = {}): Cluster {
  return resolveCluster(parse(inventoryText(replaced)));
}

function controller(settings: string, more: Readonly<Record<string, string>> = {}) {
  const [first] = resolve({
    controllers: `{a: ${settings}, z: {address: 10.9.9.9}, y: {address: 10.9.9.8}}`,
    ...more,
  }).controllers;
  if (first === undefined) throw new Error('no controller');
  return first;
}

describe('resolveCluster', () => {
  it('fills in every default', () => {
    expect(resolve()).toMatchObject({
      name: 'x',
      version: '3.6.16',
      unit: 'etcd.service',
      user: 'etcd',
      paths: {
        configDir: '/etc/etcd',
        dataDir: '/var/lib/etcd',
        walDir: undefined,
        libDir: '/usr/local/lib/etcd',
        binDir: '/usr/local/bin',
      },
      etcd: {},
      pki: {
        authorities: 'separate',
        algorithm: 'ecdsa-p256',
        caLifetimeDays: 3650,
        leafLifetimeDays: 365,
        backdateMinutes: 5,
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
      stateDir: '/folder/.quorate/x',
      lockFile: '/folder/quorate.lock.yml',
      warnings: [],
    });
  });

  it('reads when leaves are due as a length of time or a share of their life', () => {
    const due = (text: string) => resolve({ pki: `{renewBefore: ${text}}` }).pki.renewBefore;
    expect(due('30d')).toEqual({ ms: 30 * 86_400_000 });
    expect(due('36h')).toEqual({ ms: 36 * 3_600_000 });
    expect(due('20%')).toEqual({ share: 0.2 });
  });

  it('limits authorities to every name and address of the inventory, loopback among them, by choice', () => {
    const controllers =
      '{a: {address: a.example.org, privateAddress: 10.0.0.1, sans: ["*.x.org"]}, b: {address: 10.0.0.2}}';
    expect(resolve({ controllers }).pki.nameConstraints).toBeUndefined();
    expect(resolve({ controllers, pki: '{nameConstraints: true}' }).pki.nameConstraints).toEqual({
      dns: ['*.x.org', 'a', 'a.example.org', 'b', 'localhost'],
      ip: ['10.0.0.1', '10.0.0.2', '127.0.0.1', '::1'],
    });
  });

  it('reaches hosts as root with the usual keys and files', () => {
    expect(controller('{address: 10.0.0.1}')).toEqual({
      name: 'a',
      transport: 'ssh',
      ssh: {
        address: '10.0.0.1',
        port: 22,
        user: 'root',
        identityFiles: ['/home/ada/.ssh/id_ed25519', '/home/ada/.ssh/id_ecdsa', '/home/ada/.ssh/id_rsa'],
        agent: true,
        passphraseEnv: undefined,
        passwordEnv: undefined,
        hostKey: undefined,
        knownHostsFiles: ['/home/ada/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'],
        sudo: 'none',
        connectTimeoutMs: 10_000,
        bastion: undefined,
      },
      listenAddresses: ['10.0.0.1'],
      advertiseAddress: '10.0.0.1',
      clientPort: 2379,
      peerPort: 2380,
      metricsPort: 2381,
      clientUrl: 'https://10.0.0.1:2379',
      peerUrl: 'https://10.0.0.1:2380',
      sans: { dns: ['a', 'localhost'], ip: ['10.0.0.1', '127.0.0.1', '::1'] },
    });
  });

  it('sorts controllers by name', () => {
    const { controllers } = resolve({
      controllers: '{b: {address: 10.0.0.2}, a: {address: 10.0.0.1}, c: {address: 10.0.0.3}}',
    });
    expect(controllers.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('writes IPv6 in its canonical form, in brackets in URLs', () => {
    const { listenAddresses, clientUrl, sans } = controller('{address: "2001:DB8:0:0:1:0:0:1", ports: {client: 3379}}');
    expect(listenAddresses).toEqual(['2001:db8::1:0:0:1']);
    expect(clientUrl).toBe('https://[2001:db8::1:0:0:1]:3379');
    expect(sans.ip).toEqual(['127.0.0.1', '2001:db8::1:0:0:1', '::1']);
  });

  it('listens on the private address, and names every address in certificates', () => {
    const settings =
      '{address: A.example.org, privateAddress: 10.0.0.1, advertiseAddress: a.int, sans: [x.example.org, "*.y.org", 192.0.2.1]}';
    const { listenAddresses, advertiseAddress, sans } = controller(settings);
    expect({ listenAddresses, advertiseAddress }).toEqual({ listenAddresses: ['10.0.0.1'], advertiseAddress: 'a.int' });
    expect(sans).toEqual({
      dns: ['*.y.org', 'a', 'a.example.org', 'a.int', 'localhost', 'x.example.org'],
      ip: ['10.0.0.1', '127.0.0.1', '192.0.2.1', '::1'],
    });
  });

  it('listens on all addresses only when asked, and never names them', () => {
    const { listenAddresses, advertiseAddress, sans } = controller('{address: 10.0.0.1, listenAddresses: ["::"]}');
    expect({ listenAddresses, advertiseAddress }).toEqual({ listenAddresses: ['::'], advertiseAddress: '10.0.0.1' });
    expect(sans.ip).toEqual(['10.0.0.1', '127.0.0.1', '::1']);
  });

  it('lets a single member live on loopback', () => {
    const cluster = resolve({ controllers: '{a: {transport: local, address: 127.0.0.1}}' });
    expect(cluster.controllers[0]).toMatchObject({
      listenAddresses: [],
      advertiseAddress: '127.0.0.1',
      transport: 'local',
    });
  });

  it('uses sudo for everyone but root', () => {
    const sudoOf = (ssh: string) => controller('{address: 10.0.0.1}', { ssh }).ssh.sudo;
    expect(sudoOf('{user: ops}')).toBe('passwordless');
    expect(sudoOf('{user: ops, sudo: password}')).toEqual({ passwordEnv: undefined });
    expect(sudoOf('{user: ops, sudo: {passwordEnv: PW}}')).toEqual({ passwordEnv: 'PW' });
  });

  it('lets controllers override ssh, and bastions inherit what they do not say', () => {
    const ssh =
      '{user: ops, identityFiles: k, passwordEnv: P, connectTimeoutSeconds: 3, bastion: {address: b, user: j, bastion: {address: c}}}';
    const target = controller('{address: 10.0.0.1, ssh: {port: 23, user: ada, hostKey: "ssh-ed25519 AAAA"}}', {
      ssh,
    }).ssh;
    expect(target).toMatchObject({
      port: 23,
      user: 'ada',
      identityFiles: ['/folder/k'],
      passwordEnv: 'P',
      hostKey: 'ssh-ed25519 AAAA',
    });
    const inherited = {
      port: 22,
      user: 'j',
      identityFiles: ['/folder/k'],
      connectTimeoutMs: 3000,
      sudo: 'none',
    };
    expect(target.bastion).toMatchObject({ address: 'b', ...inherited, passwordEnv: undefined, hostKey: undefined });
    expect(target.bastion?.bastion).toMatchObject({ address: 'c', ...inherited, bastion: undefined });
    expect(controller('{address: 10.0.0.1, ssh: {bastion: none}}', { ssh }).ssh.bastion).toBeUndefined();
  });

  it('pins the key of a bastion', () => {
    const hostKey = `SHA256:${'A'.repeat(43)}`;
    const { bastion } = controller('{address: 10.0.0.1}', {
      ssh: `{bastion: {address: b, hostKey: "${hostKey}"}}`,
    }).ssh;
    expect(bastion?.hostKey).toBe(hostKey);
  });

  it('takes the same address behind another bastion for another host', () => {
    const one = '{address: 10.0.0.1, privateAddress: 10.1.0.1, ssh: {bastion: {address: b}}}';
    const other = '{address: 10.0.0.1, privateAddress: 10.1.0.2, ssh: {bastion: {address: c}}}';
    expect(resolve({ controllers: `{a: ${one}, b: ${other}, c: {address: 10.0.0.1}}` }).controllers).toHaveLength(3);
  });

  it('reads binaries of every kind', () => {
    const sum = 'AB'.repeat(32);
    const { binaries, checksums } = resolve({
      binaries: `{source: mirror, url: "http://m/etcd//", via: host, sha256: {arm64: ${sum}}}`,
    });
    expect({ binaries, checksums }).toEqual({
      binaries: { kind: 'mirror', url: 'http://m/etcd', via: 'host' },
      checksums: { arm64: sum.toLowerCase() },
    });
    expect(resolve({ binaries: '{source: file, path: ../x/e.tar.gz}' }).binaries).toEqual({
      kind: 'file',
      path: '/x/e.tar.gz',
    });
    expect(resolve({ binaries: '{source: system}' }).binaries).toEqual({ kind: 'system', directory: '/usr/bin' });
  });

  it('keeps etcd’s keys as they were written, and access apart', () => {
    const { etcd, access } = resolve({ etcd: '{access: direct, quota-backend-bytes: 4GiB}' });
    expect({ etcd, access }).toEqual({ etcd: { 'quota-backend-bytes': '4GiB' }, access: 'direct' });
  });

  it('keeps what is said, not how', () => {
    const said = (text: string) => resolveCluster(parse(text)).settingsText;
    const text = inventoryText({ ssh: '{user: ops, port: 22}' });
    expect(said(`# later\n${text.replace('{user: ops, port: 22}', '{port: "22", user: ops}')}`)).toBe(said(text));
    expect(said(text.replace('ops', 'ada'))).not.toBe(said(text));
  });

  it.each([
    [1, ['one member survives no failure, and each restart is an outage: use three']],
    [2, ['2 members survive no more failures than 1: use 1 or 3']],
    [3, []],
    [6, ['6 members survive no more failures than 5: use 5 or 7']],
    [9, ['9 members make each write slower, since 5 must store it: use five or seven']],
  ])('warns about what is unwise with %i members', (count, warnings) => {
    const controllers = Array.from({ length: count }, (_, index) => `c${index}: {address: 10.0.0.${index + 1}}`);
    expect(resolve({ controllers: `{${controllers.join(', ')}}` }).warnings).toEqual(warnings);
  });

  it('warns about ports that need privileges', () => {
    expect(controller('{address: 10.0.0.1}').clientPort).toBe(2379);
    expect(resolve({ ports: '{client: 443}' }).warnings).toHaveLength(3);
  });
});
