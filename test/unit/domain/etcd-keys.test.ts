/** The operator's etcd keys: judged by what each minor really reads, translated to its names and types. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkEtcdKeys, effectiveEtcdKeys, knowsEtcdKey, translateEtcdKeys } from '../../../src/domain/etcd-keys.ts';
import { etcdDefaults } from '../../../src/domain/etcd-keys-defaults.ts';
import { ownedKeys } from '../../../src/domain/etcd-keys-owned.ts';
import { etcdKeyRows, featureGates } from '../../../src/domain/etcd-keys-table.ts';
import { parseDuration } from '../../../src/domain/etcd-keys-values.ts';
import { minors } from '../../../src/domain/version.ts';

const problemsOf = (version: string, keys: Record<string, unknown>) =>
  checkEtcdKeys(version, keys).map(({ path, problem, remedy }) => `${path.join('.')}: ${problem}; ${remedy}`);

describe('the table', () => {
  const rows = readFileSync(new URL('../../fixtures/render/etcd-config-keys.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .filter(([section]) => section === 'top');

  it.each(minors)('holds every key that etcd %s reads from its file, as settable or as owned', (minor) => {
    const column = minors.indexOf(minor) + 3;
    const read = rows.filter((row) => row[column] === 'yes').map(([, key]) => key ?? '');
    expect(read.length).toBeGreaterThan(60);
    for (const key of read) {
      const settable = knowsEtcdKey(minor, key);
      const newName = checkEtcdKeys(minor, { [key]: true }).every(({ problem }) => !problem.includes('is no key'));
      expect(settable || Object.hasOwn(ownedKeys, key) || newName, key).toBe(true);
    }
    for (const key of Object.keys(etcdKeyRows)) if (knowsEtcdKey(minor, key)) expect(read).toContain(key);
    for (const key of read)
      if (Object.hasOwn(etcdKeyRows, key))
        expect(knowsEtcdKey(minor, key), key).toBe(minor !== '3.7' || key !== 'v2-deprecation');
  });

  it('gives every owned key a remedy and no second meaning', () => {
    for (const [key, remedy] of Object.entries(ownedKeys)) {
      expect(remedy.length).toBeGreaterThan(10);
      expect(Object.hasOwn(etcdKeyRows, key), key).toBe(false);
      expect(checkEtcdKeys('3.6', { [key]: 'x' })).toEqual([{ path: [key], problem: 'is not set here', remedy }]);
    }
  });
});

describe('checking', () => {
  it('names the nearest key for a typo', () => {
    expect(problemsOf('3.6.16', { 'hartbeat-interval': 100 })).toEqual([
      'hartbeat-interval: is no key of etcd’s configuration file, and etcd would ignore it without a word; did you mean heartbeat-interval?',
    ]);
  });

  it('answers flat TLS keys and auto-tls with the right way', () => {
    expect(problemsOf('3.6', { 'cert-file': '/x' })[0]).toContain('nested form');
    expect(problemsOf('3.6', { 'auto-tls': true })[0]).toContain('authenticate nobody');
  });

  it('refuses what a minor or a patch does not have yet, or no longer has', () => {
    expect(problemsOf('3.5.35', { 'max-learners': 2 })[0]).toContain('does not exist in etcd 3.5');
    expect(problemsOf('3.5.7', { 'tls-min-version': 'TLS1.3' })[0]).toContain('before etcd 3.5.8');
    expect(problemsOf('3.5.8', { 'tls-min-version': 'TLS1.3' })).toEqual([]);
    expect(problemsOf('3.7', { 'next-cluster-version-compatible': true })[0]).toContain('was removed after etcd 3.4');
    expect(problemsOf('3.4.45', { 'feature-gates': { CompactHashCheck: true } })[0]).toContain('use 3.5 or newer');
    expect(problemsOf('3.6', { 'feature-gates': { FastLeaseKeepAlive: false } })[0]).toContain('use 3.7 or newer');
  });

  it.each([
    ['heartbeat-interval', '"100"'],
    ['heartbeat-interval', 0],
    ['pre-vote', 'yes'],
    ['quota-backend-bytes', '8G'],
    ['quota-backend-bytes', -1],
    ['snapshot-count', 1.5],
    ['grpc-keepalive-timeout', 5],
    ['grpc-keepalive-timeout', '5 s'],
    ['auto-compaction-retention', '5 hours'],
    ['auto-compaction-mode', 'period'],
    ['cipher-suites', 'TLS_X'],
    ['cors', ['a,b']],
    ['cors', ['https://a.example.org']],
    ['cors', 'null'],
    ['cors', ['*', 'https://a:1']],
    ['host-whitelist', []],
    ['socket-options', { 'reuse-prot': true }],
    ['auth-token', 'jwt\nname: x'],
    ['log-level', null],
    ['feature-gates', ['InitialCorruptCheck']],
    ['feature-gates', 'InitialCorruptChek=true'],
    ['feature-gates', { InitialCorruptCheck: 'on' }],
  ])('refuses %s: %j', (key, value) => {
    expect(checkEtcdKeys('3.6', { [key]: value })).toHaveLength(1);
  });

  it('refuses combinations that make etcd exit', () => {
    expect(problemsOf('3.6', { 'heartbeat-interval': 500 })[0]).toContain('five times');
    expect(problemsOf('3.6', { 'election-timeout': '60s' })[0]).toContain('above 50000');
    expect(problemsOf('3.6', { 'tls-min-version': 'TLS1.3', 'cipher-suites': ['X'] })[0]).toContain('TLS 1.3');
    expect(problemsOf('3.6', { 'feature-gates': 'LeaseCheckpointPersist=true' })[0]).toContain('needs LeaseCheckpoint');
    expect(problemsOf('3.6', { 'auto-compaction-mode': 'revision', 'auto-compaction-retention': '8h' })).toHaveLength(
      1,
    );
    expect(problemsOf('3.6', { 'corrupt-check-time': '1h', 'experimental-corrupt-check-time': '2h' })[0]).toContain(
      'same setting',
    );
  });

  it('does not mistake names of Object.prototype for keys', () => {
    for (const key of ['constructor', '__proto__', 'toString']) {
      expect(checkEtcdKeys('3.6', JSON.parse(`{"${key}": 1}`)), key).toHaveLength(1);
      expect(checkEtcdKeys('3.6', { 'feature-gates': JSON.parse(`{"${key}": true}`) }), key).toHaveLength(1);
    }
  });
});

describe('translating', () => {
  it('uses the names of the minor, whichever the operator used', () => {
    for (const key of ['corrupt-check-time', 'experimental-corrupt-check-time']) {
      expect(translateEtcdKeys('3.5', { [key]: '4h' })).toEqual({ 'experimental-corrupt-check-time': 14_400e9 });
      expect(translateEtcdKeys('3.7', { [key]: '4h' })).toEqual({ 'corrupt-check-time': 14_400e9 });
    }
    expect(translateEtcdKeys('3.5', { 'snapshot-catchup-entries': 5 })).toEqual({
      'experimental-snapshot-catch-up-entries': 5,
    });
    expect(translateEtcdKeys('3.4', { 'backend-bbolt-freelist-type': 'map' })).toEqual({
      'experimental-backend-bbolt-freelist-type': 'map',
    });
  });

  it('turns feature gates into the boolean keys of older minors and back', () => {
    const gates = { InitialCorruptCheck: true, CompactHashCheck: false };
    expect(translateEtcdKeys('3.5', { 'feature-gates': gates })).toEqual({
      'experimental-compact-hash-check-enabled': false,
      'experimental-initial-corrupt-check': true,
    });
    expect(
      translateEtcdKeys('3.7', {
        'experimental-initial-corrupt-check': true,
        'feature-gates': 'CompactHashCheck=false',
      }),
    ).toEqual({ 'feature-gates': 'CompactHashCheck=false,InitialCorruptCheck=true' });
  });

  it('renders durations as nanoseconds, sizes as bytes, retention as a string', () => {
    const keys = {
      'grpc-keepalive-interval': '1m30s',
      'quota-backend-bytes': '8GiB',
      'auto-compaction-retention': 8,
      'heartbeat-interval': '100ms',
      cors: ['https://a:443', 'http://[::1]:80'],
    };
    expect(translateEtcdKeys('3.6.16', keys)).toEqual({
      'grpc-keepalive-interval': 90e9,
      'quota-backend-bytes': 8_589_934_592,
      'auto-compaction-retention': '8',
      'heartbeat-interval': 100,
      cors: 'https://a:443,http://[::1]:80',
    });
    expect(['1.5s', '1h0.5m', '10us', '3000h', '5', 's', ''].map(parseDuration)).toEqual([
      1.5e9,
      3630e9,
      10_000,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('puts the keys over the defaults, feature gates one by one', () => {
    const keys = { 'feature-gates': { StopGRPCServiceOnDefrag: true, CompactHashCheck: false }, 'pre-vote': false };
    expect(effectiveEtcdKeys('3.6.16', keys)).toMatchObject({
      'election-timeout': 1000,
      'pre-vote': false,
      'feature-gates': 'CompactHashCheck=false,InitialCorruptCheck=true,StopGRPCServiceOnDefrag=true',
    });
    const old = effectiveEtcdKeys('3.5.0', {});
    expect(old).toMatchObject({ 'experimental-initial-corrupt-check': true });
    expect(old).not.toHaveProperty('experimental-compact-hash-check-enabled');
    expect(Object.keys(old)).toEqual(Object.keys(old).sort());
  });

  it('counts the defaults in where keys belong together', () => {
    expect(checkEtcdKeys('3.6', { 'auto-compaction-mode': 'revision' })[0]?.path).toEqual(['auto-compaction-mode']);
    expect(checkEtcdKeys('3.6', { 'heartbeat-interval': 500 })[0]?.path).toEqual(['heartbeat-interval']);
  });

  it('throws what checking finds', () => {
    expect(() => translateEtcdKeys('3.6', { name: 'x' })).toThrow('etcd.name: is not set here');
  });

  it.each(minors)('finds nothing against our own defaults for %s', (minor) => {
    expect(checkEtcdKeys(minor, etcdDefaults(minor))).toEqual([]);
    expect(Object.values(featureGates).length).toBeGreaterThan(5);
  });
});
