/** Rendered configurations, read by a real etcd of each minor: it starts, honours every key, and demands certificates. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/domain/cluster.ts';
import { knowsEtcdKey } from '../../src/domain/etcd-keys.ts';
import { etcdKeyRows, featureGates } from '../../src/domain/etcd-keys-table.ts';
import { BOOTSTRAP_CONFIG } from '../../src/domain/layout.ts';
import { minorOf } from '../../src/domain/version.ts';
import { cacheFolder } from '../../src/lab/cache.ts';
import { renderBootstrapFiles } from '../../src/render/host-files.ts';
import { cluster, controller, inputFor } from '../unit/render/cluster.ts';
import { freePort, makeAuthority, makeLeaf, releasedEtcd } from './etcd-processes.ts';

/** A value for every key, other than etcd's default where that shows. */
const everyKey: Readonly<Record<string, unknown>> = {
  'auth-token': 'simple',
  'auth-token-ttl': 299,
  'auto-compaction-mode': 'revision',
  'auto-compaction-retention': 1000,
  'backend-batch-interval': '101ms',
  'backend-batch-limit': 9999,
  'backend-bbolt-freelist-type': 'array',
  'bcrypt-cost': 9,
  'bootstrap-defrag-threshold-megabytes': 1,
  'cipher-suites': ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  'compact-hash-check-time': '2m',
  'compaction-batch-limit': 999,
  'compaction-sleep-interval': '11ms',
  'corrupt-check-time': '4h',
  cors: ['https://a.example.org:443', 'http://[::1]:80'],
  'distributed-tracing-address': '127.0.0.1:4317',
  'distributed-tracing-instance-id': 'one: two #',
  'distributed-tracing-sampling-rate': 1,
  'distributed-tracing-service-name': '12:30',
  'downgrade-check-time': '6s',
  'election-timeout': '1100ms',
  'enable-distributed-tracing': false,
  'enable-grpc-gateway': true,
  'enable-pprof': false,
  'grpc-keepalive-interval': '2h',
  'grpc-keepalive-min-time': '6s',
  'grpc-keepalive-timeout': '21s',
  'heartbeat-interval': 110,
  'host-whitelist': ['localhost', '127.0.0.1'],
  'initial-election-tick-advance': true,
  'log-format': 'json',
  'log-level': 'info',
  'max-concurrent-streams': 1000,
  'max-learners': 2,
  'max-request-bytes': '2MiB',
  'max-snapshots': 4,
  'max-txn-ops': 129,
  'max-wals': 6,
  metrics: 'extensive',
  'next-cluster-version-compatible': false,
  'pre-vote': true,
  'quota-backend-bytes': '3GiB',
  'snapshot-catchup-entries': 4999,
  'snapshot-count': 9998,
  'socket-options': { 'reuse-address': true, 'reuse-port': false },
  'tls-max-version': 'TLS1.3',
  'tls-min-version': 'TLS1.2',
  'unsafe-no-fsync': true,
  'v2-deprecation': 'write-only',
  'warning-apply-duration': '101ms',
  'warning-unary-request-duration': '301ms',
  'watch-progress-notify-interval': '601s',
};

/** The keys that this very release has: the Debian package of 3.4.23 is older than some keys of its minor. */
function keysOf(version: string): Record<string, unknown> {
  const minor = minorOf(version);
  const patch = Number(version.split('.')[2]);
  const keys = Object.entries(everyKey).filter(([key]) => {
    const first = etcdKeyRows[key]?.firstPatch?.[minor] ?? 0;
    const alias = etcdKeyRows[key]?.experimentalName ?? `experimental-${key}`;
    return patch >= first && (knowsEtcdKey(minor, key) || knowsEtcdKey(minor, alias));
  });
  const gates = Object.entries(featureGates).filter(([, row]) => {
    const from = minor === '3.4' || minor === '3.5' ? row.keyFrom : row.from;
    return from !== undefined && from <= minor && patch >= (row.firstPatch?.[minor] ?? 0);
  });
  return { ...Object.fromEntries(keys), 'feature-gates': Object.fromEntries(gates.map(([gate]) => [gate, true])) };
}

let folder = '';
let member: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/quorate-render-`);
});
afterEach(async () => {
  if (member?.exitCode === null && member.signalCode === null) {
    const gone = new Promise((resolve) => member?.once('exit', resolve));
    member.kill('SIGKILL');
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function prepare(version: string, etcd: Record<string, unknown>): Promise<{ desired: Cluster; config: string }> {
  const ports = { clientPort: await freePort(), peerPort: await freePort(), metricsPort: await freePort() };
  const one = controller('no', '127.0.0.1', {
    ...ports,
    listenAddresses: ['127.0.0.1'],
    clientUrl: `https://127.0.0.1:${ports.clientPort}`,
    peerUrl: `https://127.0.0.1:${ports.peerPort}`,
  });
  const paths = {
    ...cluster(version).paths,
    configDir: `${folder}/etc`,
    dataDir: `${folder}/data: #1`,
    walDir: `${folder}/wal`,
  };
  const desired = cluster(version, { controllers: [one], paths, etcd });
  const pki = `${folder}/etc/pki`;
  for (const [authority, leaf] of [
    ['ca', 'server'],
    ['peer-ca', 'peer'],
  ] as const) {
    makeAuthority(pki, authority);
    makeLeaf(pki, authority, leaf, 'IP:127.0.0.1,DNS:localhost');
  }
  makeLeaf(pki, 'ca', 'client', 'DNS:client');
  mkdirSync(desired.paths.dataDir, { mode: 0o700 });
  const files = renderBootstrapFiles(desired, one, { ...inputFor(desired), token: '0e12345678' });
  const config = `${folder}/etcd-config.yml`;
  writeFileSync(config, files.find(({ path }) => path === BOOTSTRAP_CONFIG)?.content ?? '');
  return { desired, config };
}

/** Starts etcd and gives its log once it is healthy, or once it has ended. */
async function run(etcd: string, { desired, config }: Awaited<ReturnType<typeof prepare>>): Promise<string> {
  let log = '';
  member = spawn(etcd, ['--config-file', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [member.stdout, member.stderr]) stream?.on('data', (chunk) => (log += chunk));
  const health = `http://127.0.0.1:${desired.controllers[0]?.metricsPort}/health`;
  for (let tries = 0; tries < 300 && member.exitCode === null; tries++) {
    const answer = await fetch(health)
      .then((response) => response.text())
      .catch(() => '');
    if (answer.includes('"health":"true"')) return log;
    await sleep(100);
  }
  throw new Error(`etcd is not healthy:\n${log}`);
}

describe.each(['3.4.23', '3.5.16', '3.5.35', '3.6.16', '3.7.3'])('etcd %s', (version) => {
  const cached = existsSync(`${cacheFolder()}/releases/v${version}/etcd-v${version}-linux-amd64.tar.gz`);
  const needed = it.skipIf(!cached);
  const hasGates = knowsEtcdKey(minorOf(version), 'feature-gates');

  needed('starts from the rendered defaults, with mutual TLS on both ports', async () => {
    const prepared = await prepare(version, {});
    const log = await run(releasedEtcd(version, folder) ?? '', prepared);
    const pki = `${folder}/etc/pki`;
    const tls = [...log.matchAll(/"tls-info":"([^"]*)"|tls-info: ([^\n]*)/g)].map(([, json]) => json ?? '');
    expect(tls.length).toBeGreaterThanOrEqual(2);
    for (const [leaf, authority] of [
      ['server', 'ca'],
      ['peer', 'peer-ca'],
    ] as const) {
      const line = tls.find((each) => each.includes(`cert = ${pki}/${leaf}.crt`));
      expect(line).toContain(`key = ${pki}/${leaf}.key`);
      expect(line).toContain(`trusted-ca = ${pki}/${authority}.crt`);
      expect(line).toContain('client-cert-auth = true');
    }
    expect(log).toContain('"initial-cluster-token":"0e12345678"');
    expect(log).toContain('"pre-vote":true');
    // 3.6 and newer log a field that nothing sets any more; what counts is the gate (embed/etcd.go, StartEtcd).
    const gates = '"feature-gates":"CompactHashCheck=true,InitialCorruptCheck=true"';
    expect(log).toContain(hasGates ? gates : '"initial-corrupt-check":true');
    expect(log).toContain('"heartbeat-interval":"100ms"');
    expect(log).toContain('"snapshot-count":10000');
    expect(log).toContain('"auto-compaction-retention":"8h0m0s"');
    if (minorOf(version) === '3.5') expect(log).toContain('"compact-check-time-enabled":true');
    expect(log).not.toMatch(/unknown|deprecated|"level":"(error|fatal|panic)"/i);
    expect(await curl(prepared.desired, [])).not.toBe(0);
    expect(await curl(prepared.desired, ['--cert', `${pki}/client.crt`, '--key', `${pki}/client.key`])).toBe(0);
  });

  needed('takes every key that the table knows, in the form that it is rendered in', async () => {
    const prepared = await prepare(version, keysOf(version));
    const log = await run(releasedEtcd(version, folder) ?? '', prepared);
    expect(log).toContain('"election-timeout":"1.1s"');
    expect(log).toContain('"heartbeat-interval":"110ms"');
    expect(log).toContain('"snapshot-count":9998');
    expect(log).toContain('"max-wals":6');
    expect(log).toContain('"auto-compaction-mode":"revision"');
    expect(log).toContain('"corrupt-check-time-interval":"4h0m0s"');
    if (minorOf(version) !== '3.4') expect(log).toContain(`"quota-backend-bytes":${3 * 2 ** 30}`);
    expect(readFileSync(prepared.config, 'utf8')).toMatch(/^name: "no"$/m);
  });
});

/** The exit status of a request at the client port. */
function curl({ controllers, paths }: Cluster, words: readonly string[]): Promise<number> {
  const url = `${controllers[0]?.clientUrl}/version`;
  const child = spawn('curl', ['-sf', '--http1.1', '--cacert', `${paths.configDir}/pki/ca.crt`, ...words, url], {
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.once('exit', (status) => resolve(status ?? -1)));
}
