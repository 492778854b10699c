import { describe, expect, it } from 'vitest';
import type { EndpointFacts, Facts, HostFacts } from '../../../src/domain/facts.ts';
import { findingsOf, findingsStatus } from '../../../src/domain/finding.ts';
import { clusterHealth } from '../../../src/domain/health.ts';
import type { JournalLine } from '../../../src/domain/journal.ts';
import type { MemberMetrics } from '../../../src/domain/metrics.ts';
import { lineSigns } from '../../../src/domain/symptom-lines.ts';
import { stateSigns } from '../../../src/domain/symptom-states.ts';
import { toAlarm } from '../../../src/etcd/client.ts';
import { endpointOf, freshHost, identityWith, NOW, silentEndpoint } from '../../fakes/facts.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const identity = identityWith(cluster, 'uuid-1', 'token-1');
const names = cluster.controllers.map((each) => each.name);
const id2 = identity.memberIds['etcd-2'] ?? '';

function running(name: string, changes: Partial<HostFacts> = {}): HostFacts {
  const fresh = freshHost(name);
  const unit = { ...fresh.unit, loadState: 'loaded', activeState: 'active', subState: 'running', mainPid: 7 };
  return { ...fresh, unit, data: { ...fresh.data, wal: true }, addresses: ['10.0.0.1'], ...changes };
}

interface Case {
  readonly endpoints?: Readonly<Record<string, Partial<EndpointFacts> | 'down'>>;
  readonly hosts?: Readonly<Record<string, Partial<HostFacts>>>;
  readonly unreachable?: Readonly<Record<string, string>>;
  readonly metrics?: Readonly<Record<string, Partial<MemberMetrics>>>;
}

function factsOf({ endpoints = {}, hosts = {}, unreachable = {} }: Case): Facts {
  const ask = (name: string): EndpointFacts => {
    const change = endpoints[name] ?? {};
    return change === 'down' ? silentEndpoint(name, `${name}: refused`) : endpointOf(cluster, identity, name, change);
  };
  const seen = names.filter((name) => unreachable[name] === undefined);
  return {
    observedAt: NOW,
    hosts: Object.fromEntries(seen.map((name) => [name, running(name, hosts[name])])),
    endpoints: Object.fromEntries(seen.map((name) => [name, ask(name)])),
    unreachable,
  };
}

const none: MemberMetrics = {
  ...{ quotaBytes: undefined, walSync99Ms: undefined, openFiles: undefined, maxFiles: undefined, lostPeers: [] },
};

function signs(given: Case): readonly string[] {
  const facts = factsOf(given);
  const metrics = Object.fromEntries(
    Object.entries(given.metrics ?? {}).map(([name, each]) => [name, { ...none, ...each }]),
  );
  const health = clusterHealth(cluster, facts, () => NOW + 1e9);
  const found = stateSigns({ cluster, facts, health, metrics, clusterId: identity.clusterId });
  return found.map((each) => `${each.id} ${each.host}`.trim());
}

const unit = (changes: Partial<HostFacts['unit']>) => ({ unit: { ...running('x').unit, ...changes } });

describe('states that show symptoms', () => {
  it('are none on a whole cluster', () => expect(signs({})).toEqual([]));

  const cases: readonly (readonly [string, Case])[] = [
    ['host-unreachable etcd-3', { unreachable: { 'etcd-3': 'etcd-3: timed out' } }],
    ['no-quorum', { endpoints: { 'etcd-1': 'down', 'etcd-2': 'down' } }],
    ['member-silent etcd-2', { endpoints: { 'etcd-2': 'down' } }],
    ['no-leader etcd-1', { endpoints: { 'etcd-1': { leaderId: '0' } } }],
    ['leader-disagreement', { endpoints: { 'etcd-1': { leaderId: id2 } } }],
    ['peer-lost etcd-1', { metrics: { 'etcd-1': { lostPeers: [id2, 'f'.repeat(16)] } } }],
    ['member-silent etcd-2', { endpoints: { 'etcd-2': 'down' }, metrics: { 'etcd-1': { lostPeers: [id2] } } }],
    ['cluster-mismatch etcd-2', { endpoints: { 'etcd-2': { clusterId: 'f'.repeat(16) } } }],
    ['member-unlisted etcd-2', { endpoints: { 'etcd-2': { memberId: 'f'.repeat(16) } } }],
    ['learner etcd-2', { endpoints: { 'etcd-2': { learner: true } } }],
    ['alarm-nospace etcd-2', { endpoints: { 'etcd-1': { alarms: [{ memberId: id2, kind: 'NOSPACE' }] } } }],
    ['data-differs', { endpoints: { 'etcd-1': { alarms: toAlarm('alarm:CORRUPT ') } } }],
    ['unit-stopped etcd-1', { hosts: { 'etcd-1': unit({ activeState: 'inactive' }) } }],
    ['unit-failing etcd-1', { hosts: { 'etcd-1': unit({ activeState: 'failed' }) } }],
    [
      'unit-failing etcd-1',
      { hosts: { 'etcd-1': unit({ activeState: 'activating', subState: 'auto-restart', restarts: 9 }) } },
    ],
    [
      'unit-waiting etcd-1',
      { hosts: { 'etcd-1': unit({ activeState: 'activating', subState: 'start' }) }, endpoints: { 'etcd-1': 'down' } },
    ],
    ['unit-missing etcd-1', { hosts: { 'etcd-1': unit({ loadState: 'masked' }) } }],
    ['unit-reload etcd-1', { hosts: { 'etcd-1': unit({ needsDaemonReload: true }) } }],
    ['data-gone etcd-1', { hosts: { 'etcd-1': { data: { ...running('x').data, wal: false } } } }],
    ['clock-skew etcd-1', { hosts: { 'etcd-1': { clockOffsetMs: 5_000 } } }],
    ['disk-full etcd-1', { hosts: { 'etcd-1': { disk: { ...running('x').disk, freeBytes: 1e6 } } } }],
    ['disk-full etcd-1', { hosts: { 'etcd-1': { disk: { ...running('x').disk, freeInodes: 3 } } } }],
    ['disk-failing etcd-1', { hosts: { 'etcd-1': { readOnlyPaths: [cluster.paths.dataDir] } } }],
    ['slow-disk etcd-1', { metrics: { 'etcd-1': { walSync99Ms: 256 } } }],
    ['file-limit etcd-1', { metrics: { 'etcd-1': { openFiles: 990, maxFiles: 1_000 } } }],
    ['database-quota etcd-1', { metrics: { 'etcd-1': { quotaBytes: 22_000 } } }],
    ['database-fragmented etcd-1', { endpoints: { 'etcd-1': { dbSizeBytes: 2 ** 30, dbInUseBytes: 2 ** 20 } } }],
    ['defaults-ignored etcd-1', { hosts: { 'etcd-1': { ignoredDefaults: ['/etc/default/etcd'] } } }],
    [
      'foreign-etcd etcd-1',
      {
        hosts: {
          'etcd-1': { processes: [{ pid: 9, executable: '/usr/bin/etcd', arguments: [], unit: '', version: '' }] },
        },
      },
    ],
    [
      'port-taken etcd-1',
      {
        hosts: {
          'etcd-1': {
            ...unit({ activeState: 'failed' }),
            listeners: [{ address: '0.0.0.0', port: 2379, process: 'nc', pid: 9 }],
          },
        },
      },
    ],
    [
      'lock-left etcd-1',
      {
        hosts: {
          'etcd-1': {
            records: {
              ...running('x').records,
              lock: { token: 't', owner: 'o', command: 'c', since: 's', holderAlive: false, scripts: [] },
            },
          },
        },
      },
    ],
    ['version-hazard etcd-1', { endpoints: { 'etcd-1': { version: '3.5.1' } } }],
  ];
  it.each(cases)('%s', (wanted, given) => expect(signs(given)).toContain(wanted));

  it('tell a member that was added and never started, and one that the inventory lacks', () => {
    const added = { id: 'a'.repeat(16), name: '', peerUrls: ['https://10.9.9.9:2380'], clientUrls: [], learner: false };
    const members = [...endpointOf(cluster, identity, 'etcd-1').members, added];
    expect(signs({ endpoints: { 'etcd-1': { members } } })).toEqual(['member-unknown', 'member-unstarted']);
  });
});

describe('lines that show symptoms', () => {
  const at = (agoMs: number, host = 'etcd-1'): Pick<JournalLine, 'host' | 'at' | 'source' | 'level'> => ({
    ...{ host, at: NOW - agoMs, source: 'etcd', level: 'warn' },
  });
  const line = (agoMs: number, message: string, fields: JournalLine['fields'] = []): JournalLine => ({
    ...at(agoMs),
    message,
    fields,
  });
  const refused = (remote: string): JournalLine =>
    line(0, 'rejected connection on client endpoint', [
      ['remote-addr', remote],
      ['error', "tls: client didn't provide a certificate"],
    ]);
  const diagnose = async (lines: readonly JournalLine[], given: Case = {}) => {
    const found = findingsOf([], await lineSigns(lines, factsOf(given)));
    return found.map((each) => `${each.id} ${each.level} ${each.count}`);
  };

  it('are counted, with the last of them as evidence', async () => {
    const found = findingsOf(
      [],
      await lineSigns(
        [line(9_000, 'slow fdatasync', [['took', '1s']]), line(3_000, 'slow fdatasync', [['took', '2s']])],
        factsOf({}),
      ),
    );
    expect(found).toMatchObject([{ id: 'slow-disk', level: 'warning', count: 2 }]);
    expect(found[0]?.evidence).toEqual([{ host: 'etcd-1', at: NOW - 3_000, text: 'warn slow fdatasync took=2s' }]);
  });

  it('are past where they are not repeated', async () => {
    expect(await diagnose([line(11 * 60_000, 'slow fdatasync')])).toEqual(['slow-disk past 1']);
    expect(await diagnose([line(100_000, 'request cluster ID mismatch')])).toEqual(['cluster-mismatch past 1']);
    expect(await diagnose([line(60_000, 'request cluster ID mismatch')])).toEqual(['cluster-mismatch critical 1']);
    expect(findingsStatus([{ level: 'past' }])).toBe(0);
  });

  it('are evidence alone where a state tells whether it lasts', async () => {
    expect(await diagnose([line(0, '8e9e05c stepped down to follower since quorum is not active')])).toEqual([
      'no-quorum past 1',
    ]);
    const stopped = { hosts: { 'etcd-1': unit({ activeState: 'inactive' }) } };
    expect(await diagnose([line(0, 'x stepped down to follower since quorum is not active')], stopped)).toEqual([
      'no-quorum past 1',
    ]);
    const dead = { endpoints: { 'etcd-1': 'down', 'etcd-2': 'down' } } as const;
    const lines = await lineSigns(
      [line(0, '8e9e05c stepped down to follower since quorum is not active')],
      factsOf(dead),
    );
    expect(findingsOf([{ id: 'no-quorum', host: '', text: 'x' }], lines)[0]).toMatchObject({
      level: 'critical',
      count: 2,
    });
  });

  it('are judged by the clock of their own host', async () => {
    const ahead = { hosts: { 'etcd-1': { clockOffsetMs: 3_600_000 } } };
    expect(await diagnose([line(0, 'slow fdatasync')], ahead)).toEqual(['slow-disk past 1']);
  });

  it('count however old they are where the unit does not run: they are its last words', async () => {
    const dead = { hosts: { 'etcd-1': unit({ activeState: 'failed' }) } };
    expect(await diagnose([line(86_400_000, 'panic: tocommit(11) is out of range [lastIndex(0)]')], dead)).toEqual([
      'member-wiped critical 1',
    ]);
  });

  it("do not count where quorate's own proofs were refused, and do where others were", async () => {
    expect(await diagnose(['127.0.0.1:4', '[::1]:4', '10.0.0.1:4'].map(refused))).toEqual([]);
    expect(await diagnose([refused('10.0.0.9:4')])).toEqual(['certificate-absent warning 1']);
  });

  it('tell elections only where there are many within an hour', async () => {
    const elected = (agoMs: number) => line(agoMs, 'raft.node: 1 elected leader 2 at term 3');
    expect(await diagnose([1, 2, 3].map(elected))).toEqual([]);
    expect(await diagnose([1, 2, 3, 4].map(elected))).toEqual(['leader-churn warning 4']);
    expect(await diagnose([1, 2, 3, 4_000_000].map(elected))).toEqual([]);
  });

  it('are cut, and hold no control characters', async () => {
    const [sign] = await lineSigns([line(0, `slow fdatasync \u009b\u202e${'x'.repeat(1_000)}`)], factsOf({}));
    expect(sign?.text).toMatch(/^warn slow fdatasync \ufffd\ufffdx+…$/);
    expect(sign?.text).toHaveLength(400);
  });
});

describe('alarms as the status tells them', () => {
  it.each([
    ['memberID:9372538179322589801 alarm:NOSPACE ', [{ memberId: '8211f1d0f64f3269', kind: 'NOSPACE' }]],
    ['alarm:CORRUPT ', [{ memberId: '0000000000000000', kind: 'CORRUPT' }]],
    ['etcdserver: no leader', []],
  ])('%s', (text, wanted) => expect(toAlarm(text)).toEqual(wanted));
});
