/** Rules over several etcd keys at once. */
import type { Reading } from './etcd-keys-gates.ts';
import type { EtcdKeyProblem } from './etcd-keys-release.ts';
import { parseDuration } from './etcd-keys-values.ts';

/**
 * What makes etcd exit at start although each key by itself is right (embed/config.go, Validate). The settings are those
 * over the defaults; a problem's path is the first of its keys that the operator wrote.
 */
export function checkTogether(reading: Reading): readonly EtcdKeyProblem[] {
  return [...checkTiming(reading), ...checkTls(reading), ...checkGates(reading), ...checkRetention(reading)];
}

function checkTiming({ settings, writtenAs }: Reading): readonly EtcdKeyProblem[] {
  const heartbeat = Number(settings['heartbeat-interval']);
  const election = Number(settings['election-timeout']);
  const path = blame(writtenAs, ['election-timeout', 'heartbeat-interval']);
  if (election > 50_000) return [{ path, problem: 'is above 50000 ms', remedy: 'write 1000 to 50000' }];
  if (heartbeat * 5 <= election) return [];
  const problem = `an election-timeout of ${election} ms is less than five times the heartbeat-interval of ${heartbeat} ms`;
  return [{ path, problem, remedy: `write election-timeout: ${heartbeat * 10}` }];
}

function checkTls({ settings, writtenAs }: Reading): readonly EtcdKeyProblem[] {
  if (settings['tls-min-version'] !== 'TLS1.3') return [];
  const problems: EtcdKeyProblem[] = [];
  if (settings['cipher-suites'] !== undefined) {
    const problem = 'cannot be chosen where only TLS 1.3 is allowed';
    const path = blame(writtenAs, ['cipher-suites']);
    problems.push({ path, problem, remedy: 'remove it, or set tls-min-version: TLS1.2' });
  }
  if (settings['tls-max-version'] === 'TLS1.2') {
    const path = blame(writtenAs, ['tls-max-version']);
    problems.push({ path, problem: 'is below tls-min-version', remedy: 'write TLS1.3' });
  }
  return problems;
}

function checkGates({ gates }: Reading): readonly EtcdKeyProblem[] {
  if (gates.get('LeaseCheckpointPersist') !== true || gates.get('LeaseCheckpoint') === true) return [];
  const problem = 'LeaseCheckpointPersist needs LeaseCheckpoint';
  return [{ path: ['feature-gates'], problem, remedy: 'set LeaseCheckpoint: true too' }];
}

function checkRetention({ settings, writtenAs }: Reading): readonly EtcdKeyProblem[] {
  const retention = String(settings['auto-compaction-retention']);
  if (settings['auto-compaction-mode'] !== 'revision' || parseDuration(retention) === undefined) return [];
  const path = blame(writtenAs, ['auto-compaction-retention', 'auto-compaction-mode']);
  const problem = `the retention is a duration (${retention}), and auto-compaction-mode is revision`;
  return [{ path, problem, remedy: 'write auto-compaction-retention: "1000", a number of revisions' }];
}

function blame(writtenAs: ReadonlyMap<string, string>, keys: readonly string[]): readonly string[] {
  const written = keys.find((key) => writtenAs.has(key));
  return [writtenAs.get(written ?? '') ?? keys[0] ?? ''];
}
