/** Keys of etcd's configuration that an inventory cannot set below `etcd:`: quorate sets them itself, or no supported etcd should have them. */

const urls = 'quorate makes the URLs: set listenAddresses, advertiseAddress or ports of the controller';
const bootstrap = 'quorate forms clusters itself, from the controllers of the inventory';
const tls =
  'quorate writes client-transport-security and peer-transport-security in their nested form, with mutual TLS: set pki';
const flatTls = `etcd ignores this flat key without a word; ${tls}`;
const journal = 'etcd logs to the journal of its unit: journalctl -u etcd';
const gone = 'etcd no longer has it; remove the line';
const v2 = 'the v2 store blocks the upgrade to 3.6, and quorate runs no v2 API; remove the line';

/** For each key that quorate owns, where to set it instead, as a remedy. */
export const ownedKeys: Readonly<Record<string, string>> = {
  name: 'the key of the controller below controllers: is the member’s name',
  'data-dir': 'set paths.dataDir',
  'wal-dir': 'set paths.walDir',
  'listen-client-urls': urls,
  'listen-peer-urls': urls,
  'listen-client-http-urls': urls,
  'listen-metrics-urls': 'quorate serves metrics and health on loopback: set ports.metrics',
  'advertise-client-urls': urls,
  'initial-advertise-peer-urls': urls,
  'initial-cluster': bootstrap,
  'initial-cluster-state': bootstrap,
  'initial-cluster-token': `${bootstrap}, with a new random token each`,
  discovery: bootstrap,
  'discovery-config': bootstrap,
  'discovery-proxy': bootstrap,
  'discovery-srv': bootstrap,
  'discovery-srv-name': bootstrap,
  'discovery-fallback': bootstrap,
  'force-new-cluster': 'left in a file it drops every added member at the next restart; recovery is a verb of its own',
  'strict-reconfig-check': 'always true: it is etcd’s own guard of the quorum',
  'client-transport-security': tls,
  'peer-transport-security': tls,
  ClientTLSInfo: tls,
  PeerTLSInfo: tls,
  'cert-file': flatTls,
  'key-file': flatTls,
  'client-cert-file': flatTls,
  'client-key-file': flatTls,
  'client-cert-auth': flatTls,
  'trusted-ca-file': flatTls,
  'client-crl-file': flatTls,
  'peer-cert-file': flatTls,
  'peer-key-file': flatTls,
  'peer-client-cert-file': flatTls,
  'peer-client-key-file': flatTls,
  'peer-client-cert-auth': flatTls,
  'peer-trusted-ca-file': flatTls,
  'peer-crl-file': flatTls,
  'peer-cert-allowed-cn': flatTls,
  'peer-cert-allowed-hostname': flatTls,
  'client-cert-allowed-hostname': flatTls,
  'peer-skip-client-san-verification':
    'it switches off a check of peer certificates; set sans of the controller instead',
  'experimental-peer-skip-client-san-verification':
    'it switches off a check of peer certificates; set sans of the controller instead',
  'auto-tls': 'certificates that nobody signs authenticate nobody, and change at each start; quorate issues real ones',
  'peer-auto-tls':
    'certificates that nobody signs authenticate nobody, and change at each start; quorate issues real ones',
  'self-signed-cert-validity': 'it belongs to auto-tls; set pki.leafLifetimeDays',
  logger: journal,
  'log-outputs': journal,
  'log-output': journal,
  'enable-log-rotation': journal,
  'log-rotation-config-json': journal,
  'log-package-levels': `${gone}, or set log-level`,
  debug: 'set log-level: debug',
  'config-file': 'quorate writes that file; remove the line',
  'memory-mlock': 'the hardened unit holds no capability to lock memory; switch swap off on the host instead',
  'experimental-memory-mlock':
    'the hardened unit holds no capability to lock memory; switch swap off on the host instead',
  'enable-v2': v2,
  'experimental-enable-v2v3': v2,
  proxy: gone,
  'proxy-failure-wait': gone,
  'proxy-refresh-interval': gone,
  'proxy-dial-timeout': gone,
  'proxy-write-timeout': gone,
  'proxy-read-timeout': gone,
  'grpc-additional-server-options': 'it is for programs that embed etcd; remove the line',
  'raft-read-timeout': 'a flag only: etcd reads no such key from a file (etcd-io/etcd#20429); remove the line',
  'raft-write-timeout': 'a flag only: etcd reads no such key from a file (etcd-io/etcd#20429); remove the line',
};
