import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { HostFacts } from '../../../src/domain/facts.ts';
import { preflight } from '../../../src/domain/preflight.ts';
import { sampleCluster, sampleController } from '../observe/sample-cluster.ts';
import { readyHost } from '../observe/sample-facts.ts';

/** `level message` of what is found when etcd-2 differs from two ready hosts. */
function found(change: Partial<HostFacts>, cluster: Cluster = sampleCluster()): readonly string[] {
  const hosts = { 'etcd-1': readyHost('etcd-1'), 'etcd-2': readyHost('etcd-2', change), 'etcd-3': readyHost('etcd-3') };
  return preflight(cluster, { observedAt: 0, hosts, endpoints: {}, unreachable: {} }).map((each) => {
    expect(each.message.startsWith(`${each.host}: `)).toBe(true);
    expect(each.hint).not.toBe('');
    return `${each.level} ${each.message}`;
  });
}

const disk = readyHost('etcd-1').disk;
const note = { uuid: 'u', token: 't', clusterId: '1', memberId: '2' };
const notes = { attempt: note, starting: undefined, marker: undefined, lock: undefined };
const etcd = { pid: 77, executable: '/opt/etcd/etcd', arguments: ['etcd'], unit: 'etcd.service', version: '' };

describe('preflight', () => {
  it('finds nothing on hosts that are ready', () => {
    expect(found({})).toEqual([]);
  });

  it('leaves out hosts without facts', () => {
    const facts = { observedAt: 0, hosts: {}, endpoints: {}, unreachable: { 'etcd-1': 'down' } };
    expect(preflight(sampleCluster(), facts)).toEqual([]);
  });

  it('refuses Alpine with the one reason that counts', () => {
    const os = { id: 'alpine', like: [], version: '3.20.3', pretty: 'Alpine Linux v3.20' };
    expect(found({ os, supervisor: 'other', systemdVersion: 0, missingTools: ['systemctl', 'useradd'] })).toEqual([
      'refuse etcd-2: Alpine Linux v3.20 does not run systemd, and quorate runs etcd as a systemd unit',
    ]);
  });

  it.each<[string, Partial<HostFacts>, string]>([
    [
      'an old systemd',
      { systemdVersion: 219, os: { id: 'centos', like: ['rhel'], version: '7', pretty: 'CentOS Linux 7' } },
      'refuse etcd-2: systemd is 219 on CentOS Linux 7 (235 or later is needed)',
    ],
    ['an architecture without releases', { machine: 'armv7l' }, 'refuse etcd-2: etcd is not released for armv7l'],
    ['no root', { root: false }, 'refuse etcd-2: root does not become root there'],
    ['missing programs', { missingTools: ['tar', 'useradd'] }, 'refuse etcd-2: programs are missing: tar, useradd'],
    ['no key tool', { keyTool: undefined }, 'refuse etcd-2: a program is missing: ssh-keygen or openssl'],
    [
      'a data dir that is a link',
      { files: { '/var/lib/etcd': { kind: 'link', target: '/mnt/big/etcd' } } },
      'refuse etcd-2: /var/lib/etcd is a symbolic link to /mnt/big/etcd: members get folders of their own, since a link can be turned under a running one',
    ],
    [
      'a data dir that is a file',
      { files: { '/var/lib/etcd': { kind: 'other' } } },
      'refuse etcd-2: /var/lib/etcd is there and is no folder',
    ],
    ['little memory', { memoryBytes: 1e9 }, 'warn etcd-2: has 1.0 GB of memory (etcd wants 2 GB at least)'],
    ['another name', { hostname: 'web-7' }, 'warn etcd-2: the host calls itself web-7, and the inventory etcd-2'],
    [
      'defaults that are ignored',
      { ignoredDefaults: ['/etc/default/etcd'] },
      'warn etcd-2: /etc/default/etcd is there and will not be read: the configuration file replaces it',
    ],
    [
      'a clock that is far off',
      { clockOffsetMs: 94_200 },
      'refuse etcd-2: clock is 94 s ahead of the median (limit 30 s)',
    ],
    ['a clock behind', { clockOffsetMs: -31_000 }, 'refuse etcd-2: clock is 31 s behind the median (limit 30 s)'],
    ['a clock that drifts', { clockOffsetMs: 2500 }, 'warn etcd-2: clock is 2.5 s ahead of the median (more than 2 s)'],
    [
      'a full disk',
      { disk: { ...disk, freeBytes: 300e6 } },
      'refuse etcd-2: the disk is full: 300 MB are free for /var/lib/etcd (limit 1.1 GB)',
    ],
    [
      'a small disk',
      { disk: { ...disk, freeBytes: 12e9 } },
      'warn etcd-2: 12.0 GB are free for /var/lib/etcd (20 GB and twice the quota of 8.6 GB are wise)',
    ],
    [
      'no room for the binaries',
      { libDisk: { ...disk, freeBytes: 1e6 } },
      'refuse etcd-2: the disk is full: 1 MB are free for /usr/local/lib/etcd (limit 268 MB)',
    ],
    [
      'no inodes',
      { disk: { ...disk, freeInodes: 12 } },
      'refuse etcd-2: 12 inodes are free for /var/lib/etcd (limit 1000)',
    ],
    [
      'few inodes',
      { disk: { ...disk, freeInodes: 5000 } },
      'warn etcd-2: 5000 inodes are free for /var/lib/etcd (limit 10000)',
    ],
    [
      'a spinning disk',
      { disk: { ...disk, rotational: true } },
      'warn etcd-2: /var/lib/etcd is on a disk that says it',
    ],
    [
      'a read-only file system',
      { readOnlyPaths: ['/usr/local/lib/etcd'] },
      'refuse etcd-2: /usr/local/lib/etcd cannot be written: its file system is read-only',
    ],
    [
      'a port that is taken',
      { listeners: [{ address: '0.0.0.0', port: 2379, process: 'nginx', pid: 12 }] },
      'refuse etcd-2: port 2379 is taken by nginx (pid 12), on 0.0.0.0',
    ],
    [
      'a port that is taken by nobody known',
      { listeners: [{ address: '::1', port: 2381, process: '', pid: 0 }] },
      'refuse etcd-2: port 2381 is taken by another process, on ::1',
    ],
    [
      'a foreign etcd',
      {
        processes: [{ ...etcd, unit: 'kubelet.service' }],
        listeners: [{ address: '::', port: 2379, process: 'etcd', pid: 77 }],
      },
      'refuse etcd-2: another etcd runs there: /opt/etcd/etcd (pid 77) in kubelet.service',
    ],
    [
      "a foreign etcd in someone's unit of the same name",
      { processes: [etcd] },
      'refuse etcd-2: another etcd runs there: /opt/etcd/etcd (pid 77) in etcd.service',
    ],
    [
      'an address that the host does not have',
      { addresses: ['10.0.0.99'] },
      'refuse etcd-2: etcd is to listen on 10.0.0.2, which the host does not have (its own are 10.0.0.99)',
    ],
  ])('tells %s', (_, change, message) => {
    const [first = '', ...others] = found(change);
    expect(first).toContain(message);
    expect(others).toEqual([]);
  });

  it('leaves alone what is ours: our unit, and its ports', () => {
    const unit = { ...readyHost('etcd-2').unit, activeState: 'active', mainPid: 77 };
    const listeners = [{ address: '10.0.0.2', port: 2380, process: 'etcd', pid: 77 }];
    expect(found({ unit, listeners, processes: [etcd], records: notes })).toEqual([]);
  });

  it("leaves a distribution's own etcd to the plan, which stops it", () => {
    const packages = [{ name: 'etcd-server', version: '3.4.23', held: false }];
    const processes = [{ ...etcd, executable: '/usr/bin/etcd' }];
    const listeners = [{ address: '127.0.0.1', port: 2379, process: 'etcd', pid: 77 }];
    expect(found({ packages, processes, listeners })).toEqual([]);
    const used = found({
      packages,
      processes,
      packageData: ['/var/lib/etcd/default'],
      ignoredDefaults: ['/etc/default/etcd'],
    });
    expect(used.join('\n')).toContain('holds keys in /var/lib/etcd/default: somebody uses it');
    expect(used.join('\n')).toContain('with settings of its own in /etc/default/etcd: somebody set it up');
  });

  it('leaves alone a listener on another address', () => {
    expect(found({ listeners: [{ address: '10.9.9.9', port: 2379, process: 'nginx', pid: 12 }] })).toEqual([]);
  });

  it('accepts a fully qualified host name, and IPv6 addresses however they are spelt', () => {
    const controllers = [
      { ...sampleController('etcd-2'), listenAddresses: ['FD00:0::2'], advertiseAddress: 'fd00::2' },
    ];
    const cluster = sampleCluster('', { controllers });
    expect(found({ hostname: 'etcd-2.example.com', addresses: ['fd00::2'] }, cluster)).toEqual([]);
  });

  it('warns about an advertised address that only something else can have', () => {
    const controllers = [{ ...sampleController('etcd-2'), advertiseAddress: '203.0.113.7' }];
    expect(found({}, sampleCluster('', { controllers }))).toEqual([
      'warn etcd-2: 203.0.113.7 is advertised, and the host does not have it (its own are 10.0.0.2)',
    ]);
    const named = [{ ...sampleController('etcd-2'), advertiseAddress: 'etcd-2.example.com' }];
    expect(found({}, sampleCluster('', { controllers: named }))).toEqual([]);
  });

  it('refuses two controllers that are one machine, and warns about clones', () => {
    const same = { machineId: '1'.repeat(32), bootId: 'boot-1' };
    expect(found(same)).toEqual([
      `refuse etcd-1: is the same machine as etcd-2 (machine ID ${same.machineId})`,
      `refuse etcd-2: is the same machine as etcd-1 (machine ID ${same.machineId})`,
    ]);
    expect(found({ machineId: same.machineId })).toHaveLength(2);
    expect(found({ machineId: same.machineId })[0]).toMatch(/^warn etcd-1: has the machine ID of etcd-2/);
  });

  it('judges clocks against the median, and against this machine where certificates would not be valid yet', () => {
    const hosts = Object.fromEntries(
      ['etcd-1', 'etcd-2', 'etcd-3'].map((each) => [each, readyHost(each, { clockOffsetMs: -2 * 3_600_000 })]),
    );
    const problems = preflight(sampleCluster(), { observedAt: 0, hosts, endpoints: {}, unreachable: {} });
    expect(problems.map((each) => each.message)).toEqual(
      ['etcd-1', 'etcd-2', 'etcd-3'].map(
        (each) =>
          `${each}: clock is 7200 s behind this machine: certificates made now would not be valid there yet (certificates are dated back by 60 min)`,
      ),
    );
  });

  it('asks of binaries that the operator installs that they are there, and nothing else', () => {
    const cluster = sampleCluster('', { binaries: { kind: 'system', directory: '/opt/etcd' } });
    const facts = { machine: 'riscv64', libDisk: { ...disk, freeBytes: 0 }, readOnlyPaths: ['/usr/local/lib/etcd'] };
    const file = { kind: 'file', mode: '0755', owner: 'root', group: 'root', sha256: '' } as const;
    const files = Object.fromEntries(['etcd', 'etcdctl', 'etcdutl'].map((name) => [`/opt/etcd/${name}`, file]));
    const ofSecond = (texts: readonly string[]) => texts.filter((text) => text.includes('etcd-2: '));
    expect(ofSecond(found({ ...facts, files }, cluster))).toEqual([]);
    const missing = 'refuse etcd-2: /opt/etcd holds no etcd, etcdctl, etcdutl, and binaries.source is system';
    expect(ofSecond(found(facts, cluster))).toEqual([missing]);
  });
});
