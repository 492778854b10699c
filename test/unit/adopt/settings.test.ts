/** What a process was told, as units, environment files and configuration files of the usual guides tell it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configPath, readFlags, readSettings, runsMember } from '../../../src/adopt/settings.ts';

const started = { arguments: [], environment: {}, configText: undefined };

describe('settings from flags', () => {
  // ExecStart of the unit in the guides that follow "Kubernetes the hard way".
  const words = [
    ...['--name', 'controller-0', '--cert-file=/etc/etcd/kubernetes.pem', '--key-file=/etc/etcd/kubernetes-key.pem'],
    ...['--peer-cert-file=/etc/etcd/kubernetes.pem', '--peer-key-file=/etc/etcd/kubernetes-key.pem'],
    ...['--trusted-ca-file=/etc/etcd/ca.pem', '--peer-trusted-ca-file=/etc/etcd/ca.pem'],
    ...['--peer-client-cert-auth', '--client-cert-auth', '--initial-advertise-peer-urls', 'https://10.240.0.10:2380'],
    ...['--listen-peer-urls', 'https://10.240.0.10:2380'],
    ...['--listen-client-urls', 'https://10.240.0.10:2379,https://127.0.0.1:2379'],
    ...['--advertise-client-urls', 'https://10.240.0.10:2379', '--initial-cluster-token', 'etcd-cluster-0'],
    ...['--initial-cluster-state', 'new', '--data-dir=/var/lib/etcd'],
  ];

  it('are read with both ways of writing a value, and switches take none', () => {
    const found = readSettings({ ...started, arguments: words });
    expect(found.source).toEqual({ kind: 'flags' });
    expect(found.keys).toMatchObject({ name: 'controller-0', 'data-dir': '/var/lib/etcd' });
    expect(found.keys['initial-advertise-peer-urls']).toBe('https://10.240.0.10:2380');
    expect(found.client).toMatchObject({ certFile: '/etc/etcd/kubernetes.pem', clientCertAuth: true });
    expect(found.peer).toMatchObject({ trustedCaFile: '/etc/etcd/ca.pem', clientCertAuth: true });
  });

  it('take one dash as well, and the last of a name counts', () => {
    expect(readFlags(['-name', 'a', '--name=b']).get('name')).toBe('b');
  });

  it('have numbers and truth values as the file would have them', () => {
    const told = [
      '--snapshot-count=5000',
      '--quota-backend-bytes',
      '8589934592',
      '--pre-vote=false',
      '--heartbeat-interval=250',
    ];
    expect(readSettings({ ...started, arguments: told }).keys).toEqual({
      'snapshot-count': 5000,
      'quota-backend-bytes': 8589934592,
      'pre-vote': false,
      'heartbeat-interval': 250,
    });
  });

  it('keep a retention a text, as etcd wants it', () => {
    const { keys } = readSettings({ ...started, arguments: ['--auto-compaction-retention=8'] });
    expect(keys['auto-compaction-retention']).toBe('8');
  });
});

describe('settings from the environment', () => {
  it('are those of kubespray’s /etc/etcd.env', () => {
    const found = readSettings({
      ...started,
      environment: {
        ETCD_DATA_DIR: '/var/lib/etcd',
        ETCD_ADVERTISE_CLIENT_URLS: 'https://10.0.0.1:2379',
        ETCD_LISTEN_PEER_URLS: 'https://10.0.0.1:2380',
        ETCD_NAME: 'etcd1',
        ETCD_AUTO_COMPACTION_RETENTION: '8',
        ETCD_SNAPSHOT_COUNT: '100000',
        ETCD_TRUSTED_CA_FILE: '/etc/ssl/etcd/ssl/ca.pem',
        ETCD_CERT_FILE: '/etc/ssl/etcd/ssl/member-node1.pem',
        ETCD_CLIENT_CERT_AUTH: 'true',
        ETCD_PEER_TRUSTED_CA_FILE: '/etc/ssl/etcd/ssl/ca.pem',
        ETCD_PEER_CLIENT_CERT_AUTH: 'True',
        ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: 'true',
        ETCD_METRICS: 'basic',
      },
    });
    expect(found.source).toEqual({ kind: 'environment' });
    expect(found.keys).toMatchObject({ name: 'etcd1', 'snapshot-count': 100000, metrics: 'basic' });
    expect(found.keys['experimental-initial-corrupt-check']).toBe(true);
    expect(found.client.trustedCaFile).toBe('/etc/ssl/etcd/ssl/ca.pem');
  });

  it('give way to flags, as Debian’s package has both', () => {
    const environment = { ETCD_NAME: 'deb', ETCD_DATA_DIR: '/var/lib/etcd/default' };
    const found = readSettings({ ...started, environment, arguments: ['--name=other'] });
    expect(found.keys).toEqual({ name: 'other', 'data-dir': '/var/lib/etcd/default' });
  });

  it('say nothing where a variable is empty', () => {
    expect(readSettings({ ...started, environment: { ETCD_DISCOVERY: '' } }).keys).toEqual({});
  });
});

describe('settings from a configuration file', () => {
  const configText = `
name: 'default'
data-dir: /srv/etcd
listen-client-urls: https://10.0.0.1:2379
election-timeout: 1000
auto-compaction-retention: "1"
initial-cluster-token: "etcd-cluster"
proxy: 'off'
discovery:
client-transport-security:
  cert-file: /srv/tls/server.crt
  key-file: /srv/tls/server.key
  client-cert-auth: true
  trusted-ca-file: /srv/tls/ca.crt
  auto-tls: false
peer-transport-security:
  cert-file: /srv/tls/peer.crt
  allowed-cn: [etcd-peer]
ClientTLSInfo: {CRLFile: /srv/tls/revoked.crl}
cert-file: /flat.crt
`;

  it('replace flags and environment, which are told as ignored', () => {
    const found = readSettings({
      configText,
      arguments: ['--config-file=/srv/etcd.yml', '--name', 'ignored'],
      environment: { ETCD_DATA_DIR: '/ignored' },
    });
    expect(found.source).toEqual({ kind: 'file', path: '/srv/etcd.yml' });
    expect(found.keys).toMatchObject({ name: 'default', 'data-dir': '/srv/etcd', 'election-timeout': 1000 });
    expect(found.keys).not.toHaveProperty('discovery');
    expect(found.client).toMatchObject({ certFile: '/srv/tls/server.crt', clientCertAuth: true });
    expect(found.client.further).toEqual(['crl-file: /srv/tls/revoked.crl']);
    expect(found.peer.further).toEqual(['cert-allowed-cn: etcd-peer']);
    expect(found.ignored).toEqual([
      'name: ignored by etcd beside /srv/etcd.yml',
      'data-dir: ignored by etcd beside /srv/etcd.yml',
      'cert-file: stands flat in /srv/etcd.yml, where etcd ignores it without a word',
    ]);
  });

  it('are found by the variable too', () => {
    expect(configPath({ arguments: [], environment: { ETCD_CONFIG_FILE: '/etc/etcd/etcd.conf.yml' } })).toBe(
      '/etc/etcd/etcd.conf.yml',
    );
  });

  it.each(['', 'just words', '[a, b]', '{', `a: &a [${'*a,'.repeat(3)}]`, '\u0000'])(
    'that is no mapping says nothing: %j',
    (text) => {
      expect(readSettings({ ...started, arguments: ['--config-file', '/x'], configText: text }).keys).toEqual({});
    },
  );
});

describe('processes that run no member', () => {
  it.each([[['gateway', 'start']], [['grpc-proxy', 'start']], [['--version']]])('%j', (words) => {
    expect(runsMember(words)).toBe(false);
  });
});

it('reads whatever a host says without failing', () => {
  const invocation = fc.record({
    arguments: fc.array(fc.oneof(fc.string(), fc.constantFrom('--name', '--config-file', '--auto-tls', '--a=b', '-x'))),
    environment: fc.dictionary(fc.string(), fc.string()),
    configText: fc.option(fc.string(), { nil: undefined }),
  });
  fc.assert(
    fc.property(invocation, (each) => {
      const found = readSettings(each);
      expect(typeof found.client.certFile).toBe('string');
      expect(Array.isArray(found.ignored)).toBe(true);
    }),
  );
});
