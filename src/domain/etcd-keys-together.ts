/** Rules over several etcd keys at once. */
import type { Reading } from './etcd-keys-gates.ts';
import type { EtcdKeyProblem } from './etcd-keys-release.ts';
import { type EtcdValue, parseDuration } from './etcd-keys-values.ts';

/** Rules over several keys that make etcd exit at start (embed/config.go, Validate), with its own defaults where a key is not set. */
export function checkTogether({ settings, gates, problems }: Reading): void {
  const heartbeat = settings['heartbeat-interval'] ?? 100;
  const election = settings['election-timeout'] ?? 1000;
  if (Number(heartbeat) * 5 > Number(election)) {
    const problem = `of ${election} ms is less than five times the heartbeat-interval of ${heartbeat} ms`;
    problems.push({ path: ['election-timeout'], problem, remedy: `write at least ${Number(heartbeat) * 10}` });
  }
  if (Number(election) > 50_000) {
    problems.push({ path: ['election-timeout'], problem: 'is above 50000 ms', remedy: 'write 1000 to 50000' });
  }
  if (settings['tls-min-version'] === 'TLS1.3' && settings['cipher-suites'] !== undefined) {
    const problem = 'cannot be chosen where only TLS 1.3 is allowed';
    problems.push({ path: ['cipher-suites'], problem, remedy: 'remove it, or set tls-min-version: TLS1.2' });
  }
  if (settings['tls-min-version'] === 'TLS1.3' && settings['tls-max-version'] === 'TLS1.2') {
    problems.push({ path: ['tls-max-version'], problem: 'is below tls-min-version', remedy: 'write TLS1.3' });
  }
  if (gates.get('LeaseCheckpointPersist') === true && gates.get('LeaseCheckpoint') !== true) {
    const problem = 'LeaseCheckpointPersist needs LeaseCheckpoint';
    problems.push({ path: ['feature-gates'], problem, remedy: 'set LeaseCheckpoint: true too' });
  }
  checkRetention(settings, problems);
}

function checkRetention(settings: Readonly<Record<string, EtcdValue>>, problems: EtcdKeyProblem[]): void {
  const retention = settings['auto-compaction-retention'];
  if (settings['auto-compaction-mode'] !== 'revision' || typeof retention !== 'string') return;
  if (parseDuration(retention) === undefined) return;
  const problem = `is a duration (${retention}), and auto-compaction-mode is revision`;
  problems.push({ path: ['auto-compaction-retention'], problem, remedy: 'write a number of revisions: 1000' });
}
