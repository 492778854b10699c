/** From what runs to an inventory that parseInventory takes, for layouts as their tools write them, and everything that is told beside it. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Description, describeCluster } from '../../../src/adopt/describe.ts';
import type { FoundHost } from '../../../src/adopt/found.ts';
import { inventoryText } from '../../../src/adopt/inventory-text.ts';
import { chooseMember } from '../../../src/adopt/look.ts';
import type { FoundProcess, SeenPath } from '../../../src/adopt/survey.ts';
import { parseInventory } from '../../../src/inventory/load.ts';
import { resolveCluster } from '../../../src/inventory/resolve.ts';

const seen: SeenPath = { kind: 'regular file', mode: '0755', owner: 'root', group: 'root' };

interface Case {
  readonly process?: Partial<FoundProcess>;
  readonly there?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly manifest?: string;
  readonly ip: string;
}

function hostOf({ process: more, there = {}, name = 'etcd-1', manifest = '', ip }: Case): FoundHost {
  const base: FoundProcess = {
    ...{
      pid: 7,
      executable: '/opt/etcd/bin/etcd',
      user: 'etcd',
      cwd: '/',
      supervisor: 'systemd',
      unit: 'etcd.service',
    },
    ...{ fragmentPath: '/etc/systemd/system/etcd.service', dropIns: [], version: '3.5.35', arguments: [] },
    ...{ environment: {}, configText: undefined },
  };
  const process = { ...base, ...more };
  const survey = { hostname: name, addresses: [ip], processes: [process], there, units: [], manifest };
  const member = chooseMember(survey, name, undefined);
  const folder = process.executable.replace(/\/etcd$/, '');
  const tools = { [`${folder}/etcdctl`]: seen, [`${folder}/etcdutl`]: seen };
  const scheme = member.advertisePeer[0]?.tls ? 'https' : 'http';
  const listed = {
    id: `${ip.replaceAll('.', '')}`.padStart(16, '0'),
    name: member.name,
    learner: false,
    clientUrls: [],
  };
  const members = [{ ...listed, peerUrls: [`${scheme}://${ip}:2380`] }];
  return {
    host: name,
    address: ip,
    survey,
    member,
    details: { seen: tools, certificates: {}, answer: '' },
    list: { clusterId: 'cdf818194e3a8c32', members },
  };
}

function together(hosts: readonly FoundHost[]): readonly FoundHost[] {
  const members = hosts.flatMap((each) => each.list?.members ?? []);
  return hosts.map((each) => ({ ...each, list: { clusterId: 'cdf818194e3a8c32', members } }));
}

function described(hosts: readonly FoundHost[]): Description {
  const carried = Object.fromEntries(hosts.map(({ host, address }) => [host, { address }]));
  return describeCluster(together(hosts), 'prod', carried);
}

function clusterOf(description: Description) {
  const text = inventoryText(description, { ssh: { user: 'ops' } });
  const place = { fileName: 'quorate.yml', env: {}, directory: '/work', home: '/root' };
  return { text, cluster: resolveCluster(parseInventory(text, place)) };
}

const texts = ({ notes }: Description, level: string): string =>
  notes.flatMap((each) => (each.level === level ? [each.text] : [])).join('\n');

function plainFlags(name: string, ip: string): readonly string[] {
  return [
    ...[`--name=${name}`, '--data-dir=/var/lib/etcd', `--listen-peer-urls=http://${ip}:2380`],
    ...[`--listen-client-urls=http://${ip}:2379,http://127.0.0.1:2379`, `--advertise-client-urls=http://${ip}:2379`],
    ...[`--initial-advertise-peer-urls=http://${ip}:2380`, '--initial-cluster-token=etcd-cluster-1'],
  ];
}

describe('a plaintext cluster of flags', () => {
  const description = described(
    ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((ip, index) =>
      hostOf({ ip, name: `infra${index}`, process: { arguments: [...plainFlags(`infra${index}`, ip)] } }),
    ),
  );

  it('has its names, addresses and IDs, and etcd’s own defaults', () => {
    const { cluster, text } = clusterOf(description);
    expect(cluster.controllers.map(({ name, peerUrl }) => `${name} ${peerUrl}`)).toEqual([
      'infra0 https://10.0.0.1:2380',
      'infra1 https://10.0.0.2:2380',
      'infra2 https://10.0.0.3:2380',
    ]);
    expect(cluster.paths).toMatchObject({ dataDir: '/var/lib/etcd', configDir: '/etc/etcd' });
    expect(cluster.binaries).toEqual({ kind: 'system', directory: '/opt/etcd/bin' });
    expect(parse(text).etcd).toEqual({
      'snapshot-count': 100000,
      'quota-backend-bytes': '2GiB',
      'auto-compaction-retention': '0',
      'feature-gates': { CompactHashCheck: false, InitialCorruptCheck: false },
      plaintextClients: true,
    });
    expect(text).toContain('until that line is taken out');
    expect(cluster.plaintextClients).toBe(true);
    expect(texts(description, 'changes')).toMatch(/clients speak plaintext[\s\S]*peers speak plaintext/);
    expect(description.tls).toEqual({ client: 'none', peer: 'none' });
    expect(description.memberIds).toEqual({
      infra0: '0000000000010001',
      infra1: '0000000000010002',
      infra2: '0000000000010003',
    });
    expect(texts(description, 'blocks')).toBe('');
  });

  it('says nothing of the token', () => {
    expect(clusterOf(description).text).not.toContain('etcd-cluster-1');
    expect(JSON.stringify(description.notes)).not.toContain('etcd-cluster-1');
  });
});

describe('kubespray’s host mode', () => {
  const ip = '10.0.0.1';
  const environment = {
    ETCD_DATA_DIR: '/var/lib/etcd',
    ETCD_ADVERTISE_CLIENT_URLS: `https://${ip}:2379`,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: `https://${ip}:2380`,
    ETCD_INITIAL_CLUSTER_STATE: 'existing',
    ETCD_METRICS: 'basic',
    ETCD_LISTEN_CLIENT_URLS: `https://${ip}:2379,https://127.0.0.1:2379`,
    ETCD_ELECTION_TIMEOUT: '5000',
    ETCD_HEARTBEAT_INTERVAL: '250',
    ETCD_INITIAL_CLUSTER_TOKEN: 'k8s_etcd',
    ETCD_LISTEN_PEER_URLS: `https://${ip}:2380`,
    ETCD_NAME: 'etcd1',
    ETCD_PROXY: 'off',
    ETCD_AUTO_COMPACTION_RETENTION: '8',
    ETCD_SNAPSHOT_COUNT: '100000',
    ETCD_EXPERIMENTAL_WATCH_PROGRESS_NOTIFY_INTERVAL: '5s',
    ETCD_TRUSTED_CA_FILE: '/etc/ssl/etcd/ssl/ca.pem',
    ETCD_CERT_FILE: '/etc/ssl/etcd/ssl/member-node1.pem',
    ETCD_KEY_FILE: '/etc/ssl/etcd/ssl/member-node1-key.pem',
    ETCD_CLIENT_CERT_AUTH: 'true',
    ETCD_PEER_TRUSTED_CA_FILE: '/etc/ssl/etcd/ssl/ca.pem',
    ETCD_PEER_CERT_FILE: '/etc/ssl/etcd/ssl/member-node1.pem',
    ETCD_PEER_KEY_FILE: '/etc/ssl/etcd/ssl/member-node1-key.pem',
    ETCD_PEER_CLIENT_CERT_AUTH: 'True',
    ETCD_CLI_CACERT: '',
  };
  const description = described([hostOf({ ip, name: 'node1', process: { environment, user: 'root' } })]);

  it('is known, and its settings are carried over', () => {
    const { cluster } = clusterOf(description);
    expect(cluster.etcd).toMatchObject({
      'heartbeat-interval': 250,
      'election-timeout': 5000,
      'auto-compaction-retention': '8',
      'experimental-watch-progress-notify-interval': '5s',
      metrics: 'basic',
    });
    expect(cluster.controllers[0]?.name).toBe('etcd1');
    expect(description.tls).toEqual({ client: 'mutual', peer: 'mutual' });
  });

  it('is told that etcd will not run as root', () => {
    expect(texts(description, 'changes')).toContain('etcd runs as root; quorate runs it as etcd');
    expect(clusterOf(description).cluster.user).toBe('etcd');
  });
});

it('keeps out of etcdadm’s /etc/etcd/pki, which is a folder', () => {
  const ip = '10.0.0.1';
  const environment = {
    ETCD_NAME: 'node-1',
    ETCD_INITIAL_ADVERTISE_PEER_URLS: `https://${ip}:2380`,
    ETCD_LISTEN_PEER_URLS: `https://${ip}:2380`,
    ETCD_TRUSTED_CA_FILE: '/etc/etcd/pki/ca.crt',
    ETCD_DATA_DIR: '/var/lib/etcd',
  };
  const host = hostOf({
    ip,
    process: { environment, executable: '/opt/bin/etcd' },
    there: { '/etc/etcd/pki': 'directory' },
  });
  expect(host.member.layout).toBe('etcdadm');
  const { cluster } = clusterOf(described([host]));
  expect(cluster.paths.configDir).toBe('/etc/quorate');
  expect(cluster.binaries).toEqual({ kind: 'system', directory: '/opt/bin' });
});

describe('Debian’s package', () => {
  const environment = { ETCD_NAME: 'debian-1', ETCD_DATA_DIR: '/var/lib/etcd/default' };
  const description = described([
    hostOf({
      ip: '10.0.0.1',
      process: {
        ...{ environment: { ...environment, ETCD_INITIAL_ADVERTISE_PEER_URLS: 'http://10.0.0.1:2380' } },
        ...{ executable: '/usr/bin/etcd', fragmentPath: '/lib/systemd/system/etcd.service', version: '3.4.23' },
      },
    }),
  ]);

  it('keeps its data dir, and its version although it is refused', () => {
    const { cluster } = clusterOf(description);
    expect(cluster.paths.dataDir).toBe('/var/lib/etcd/default');
    expect(cluster.version).toBe('3.4.23');
    expect(cluster.acceptHazards.length).toBeGreaterThan(0);
    expect(texts(description, 'told')).toContain('accepted in the inventory because it runs');
    expect(cluster.etcd).toMatchObject({ 'pre-vote': false });
  });
});

describe('what stands in the way', () => {
  const ip = '10.0.0.1';
  const blocked = (process: Partial<FoundProcess>, name = 'etcd-1'): string =>
    texts(described([hostOf({ ip, name, process })]), 'blocks');
  const words = (...more: string[]): readonly string[] => [...plainFlags('a', ip), ...more];

  it.each([
    [
      'a data dir in a home',
      { arguments: words('--data-dir=/root/default.etcd') },
      'the data dir /root/default.etcd lies in a home',
    ],
    ['a data dir in /tmp', { arguments: words('--data-dir', '/tmp/etcd-data') }, 'reboot empties'],
    [
      'a drop-in of the unit',
      { arguments: words(), dropIns: ['/etc/systemd/system/etcd.service.d/x.conf'] },
      'changes the unit',
    ],
    ['an old minor', { arguments: words(), version: '3.3.25' }, 'is of a minor that quorate does not know'],
    ['a WAL in a folder of another name', { arguments: words('--wal-dir=/disk/etcd-wal') }, 'in a folder named wal'],
  ])('%s', (_, process, text) => {
    expect(blocked(process)).toContain(text);
  });

  it('members with data dirs of their own', () => {
    const hosts = ['10.0.0.1', '10.0.0.2'].map((each, index) =>
      hostOf({
        ip: each,
        name: `n${index}`,
        process: { arguments: [...plainFlags(`n${index}`, each), `--data-dir=/data/n${index}`] },
      }),
    );
    expect(texts(described(hosts), 'blocks')).toContain('members have different data dirs: n0 /data/n0, n1 /data/n1');
  });

  it('members whose hosts were not named', () => {
    const all = together(
      ['10.0.0.1', '10.0.0.2'].map((each, index) =>
        hostOf({ ip: each, name: `n${index}`, process: { arguments: plainFlags(`n${index}`, each) } }),
      ),
    );
    const found = describeCluster(all.slice(0, 1), 'prod', {});
    expect(texts(found, 'blocks')).toContain(
      'member n1 (0000000000010002, http://10.0.0.2:2380) is on none of these hosts',
    );
  });

  it('a manifest of kubeadm beside a unit, from which the kubelet would start a second one', () => {
    const manifest = '/etc/kubernetes/manifests/etcd.yaml';
    const found = described([hostOf({ ip, manifest, process: { arguments: words() } })]);
    expect(texts(found, 'blocks')).toContain(`${manifest} is there: the kubelet would start a second etcd`);
  });

  it('a process that nobody would start again', () => {
    expect(blocked({ arguments: words(), supervisor: 'process', unit: '' })).toContain('a plain process');
  });
});

it('describes static pods of kubeadm, and tells once that they are not taken in', () => {
  const manifest = '/etc/kubernetes/manifests/etcd.yaml';
  const pod = { supervisor: 'static-pod', unit: '', fragmentPath: '', user: 'root' } as const;
  const hosts = ['10.0.0.1', '10.0.0.2'].map((ip, index) =>
    hostOf({ ip, manifest, name: `n${index}`, process: { ...pod, arguments: plainFlags(`n${index}`, ip) } }),
  );
  const found = described(hosts);
  expect(hosts.map(({ member }) => member.layout)).toEqual(['kubeadm', 'kubeadm']);
  expect(texts(found, 'blocks')).toBe('');
  expect(texts(found, 'kept')).toMatch(/^etcd is run by the kubelet, as static pods \(n0, n1\): [^\n]*$/);
  expect(clusterOf(found).cluster.controllers.map((each) => each.peerUrl)).toEqual([
    'https://10.0.0.1:2380',
    'https://10.0.0.2:2380',
  ]);
});

it('makes a DNS label of a name that is none, and tells so', () => {
  const ip = '10.0.0.1';
  const found = described([hostOf({ ip, name: 'db1', process: { arguments: plainFlags('Etcd_Node.1', ip) } })]);
  expect(Object.keys(found.memberIds)).toEqual(['etcd-node-1']);
  expect(texts(found, 'changes')).toContain('it becomes etcd-node-1');
});

it('installs the same version where the binaries lie at the place of its links', () => {
  const ip = '10.0.0.1';
  const process = { arguments: plainFlags('a', ip), executable: '/usr/local/bin/etcd' };
  const found = described([hostOf({ ip, process })]);
  expect(clusterOf(found).cluster).toMatchObject({ version: '3.5.35', binaries: { kind: 'release' } });
  expect(texts(found, 'changes')).toContain('the binaries lie in /usr/local/bin');
});

it('tells what no inventory can say', () => {
  const ip = '10.0.0.1';
  const more = ['--listen-metrics-urls=http://0.0.0.0:2381', '--enable-v2=true', '--unsafe-no-fsync', '--cors=*'];
  const found = described([hostOf({ ip, process: { arguments: [...plainFlags('a', ip), ...more] } })]);
  const told = texts(found, 'changes');
  expect(told).toContain('enable-v2: the v2 store blocks the upgrade to 3.6');
  expect(told).toContain('metrics are served on http://0.0.0.0:2381');
  expect(clusterOf(found).cluster.etcd).toMatchObject({ cors: '*', 'unsafe-no-fsync': true });
});

describe('which etcd is meant', () => {
  const two = hostOf({ ip: '10.0.0.1', process: { arguments: plainFlags('a', '10.0.0.1') } });
  const events = { ...two.member.process, unit: 'etcd-events.service' };
  const survey = { ...two.survey, processes: [two.member.process, events] };

  it('has to be said where a host runs several', () => {
    expect(() => chooseMember(survey, 'n1', undefined)).toThrow(
      /2 etcd run there: etcd.service on .*; etcd-events.service on/,
    );
    expect(chooseMember(survey, 'n1', 'etcd-events.service').process.unit).toBe('etcd-events.service');
  });

  it('cannot be one that does not run', () => {
    const stopped = { ...survey, processes: [], units: ['etcd.service'] };
    expect(() => chooseMember(stopped, 'n1', undefined)).toThrow(
      'n1: no etcd runs there (what could run one: etcd.service)',
    );
  });
});
