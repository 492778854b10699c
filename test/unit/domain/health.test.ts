import { describe, expect, it } from 'vitest';
import type { EndpointFacts, Facts } from '../../../src/domain/facts.ts';
import { type ClusterHealth, clusterHealth, healthStatus } from '../../../src/domain/health.ts';
import { endpointOf, freshHost, identityWith, membersOf, NOW, silentEndpoint } from '../../fakes/facts.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const identity = identityWith(cluster, 'uuid-1', 'token-1');
const names = cluster.controllers.map((each) => each.name);
const ids = names.map((name) => identity.memberIds[name] ?? '');

type Changes = Readonly<Record<string, Partial<EndpointFacts> | 'down'>>;

function factsWith(changes: Changes = {}, more: Partial<Facts> = {}): Facts {
  const endpoints = Object.fromEntries(
    names.map((name) => {
      const change = changes[name] ?? {};
      if (change === 'down') return [name, silentEndpoint(name, 'connection refused')];
      return [name, endpointOf(cluster, identity, name, { servedCertificate: `certificate of ${name}`, ...change })];
    }),
  );
  const hosts = Object.fromEntries(names.map((name) => [name, freshHost(name)]));
  return { observedAt: NOW, hosts, endpoints, unreachable: {}, ...more };
}

function health(changes: Changes = {}, more: Partial<Facts> = {}): ClusterHealth {
  return clusterHealth(cluster, factsWith(changes, more), (pem) => (pem.endsWith('etcd-1') ? NOW + 1000 : NOW + 2000));
}

function problemsOf(found: ClusterHealth, name: string): readonly string[] {
  return found.members.find((each) => each.name === name)?.problems ?? [];
}

describe('the health of a cluster', () => {
  it('is healthy when every member answers and agrees', () => {
    const found = health();
    expect(found).toMatchObject({ state: 'healthy', alarms: [], problems: [] });
    expect(found.members.map((each) => [each.name, each.id, each.role, each.healthy, each.isLeader])).toEqual([
      ['etcd-1', ids[0], 'voter', true, true],
      ['etcd-2', ids[1], 'voter', true, false],
      ['etcd-3', ids[2], 'voter', true, false],
    ]);
    expect(found.members.map((each) => each.servedUntil)).toEqual([NOW + 1000, NOW + 2000, NOW + 2000]);
  });

  it.each([
    [1, 'degraded', 2],
    [2, 'no-quorum', 3],
    [3, 'no-quorum', 3],
  ] as const)('with %i of three down is %s, exit status %i', (down, state, status) => {
    const found = health(Object.fromEntries(names.slice(0, down).map((name) => [name, 'down'])));
    expect(found.state).toBe(state);
    expect(healthStatus(found)).toBe(status);
    expect(problemsOf(found, 'etcd-1')).toEqual(['connection refused']);
  });

  it('is degraded when the data of a running member is gone, and says that it will not come back', () => {
    const fresh = freshHost('etcd-2');
    const wiped = { ...fresh, unit: { ...fresh.unit, activeState: 'active' }, data: { ...fresh.data, wal: false } };
    const hosts = { ...factsWith().hosts, 'etcd-2': wiped };
    const found = health({}, { hosts });
    expect(found.state).toBe('degraded');
    expect(problemsOf(found, 'etcd-2')).toEqual([
      'etcd.service runs, and its data is gone from /var/lib/etcd: it will not come back from a restart',
    ]);
    expect(health({}, { hosts: { ...hosts, 'etcd-2': { ...wiped, root: false } } }).state).toBe('healthy');
  });

  it('exits with 0 when healthy', () => expect(healthStatus(health())).toBe(0));

  it('judges by all voters of the member list, not by those of the inventory', () => {
    const stranger = (name: string) => ({
      id: `00000000000000${name}`,
      name,
      peerUrls: [`https://10.0.9.${name}:2380`],
      clientUrls: [],
      learner: false,
    });
    const two = [...membersOf(cluster, identity), stranger('21'), stranger('22')];
    const five = { members: two };
    expect(health({ 'etcd-1': five, 'etcd-2': five, 'etcd-3': five }).state).toBe('degraded');
    const found = health({ 'etcd-1': five, 'etcd-2': five, 'etcd-3': 'down' });
    expect(found.state).toBe('no-quorum');
    expect(found.problems).toContain('member 21 (https://10.0.9.21:2380) is not in the inventory');
  });

  it('does not count a learner as a voter', () => {
    const members = membersOf(cluster, identity).map((each) => ({ ...each, learner: each.name === 'etcd-3' }));
    const learner = { learner: true, linearizable: false, members };
    const found = health({ 'etcd-1': { members }, 'etcd-2': 'down', 'etcd-3': learner });
    expect(found.members[2]).toMatchObject({ role: 'learner', healthy: true, problems: [] });
    expect(found.state).toBe('no-quorum');
    expect(health({ 'etcd-1': { members }, 'etcd-2': { members }, 'etcd-3': learner }).state).toBe('healthy');
  });

  it('is degraded when a member does not read linearizably, though it answers', () => {
    const found = health({ 'etcd-2': { linearizable: false } });
    expect(found.state).toBe('degraded');
    expect(found.members[1]?.healthy).toBe(false);
    expect(problemsOf(found, 'etcd-2')).toEqual(['a linearizable read does not return']);
  });

  it('has no quorum while nobody knows a leader', () => {
    const lost = { leaderId: '0', linearizable: false };
    const found = health({ 'etcd-1': lost, 'etcd-2': lost, 'etcd-3': lost });
    expect(found.state).toBe('no-quorum');
    expect(found.problems).toEqual(['at least one member knows no leader']);
    expect(found.members.some((each) => each.isLeader)).toBe(false);
  });

  it('tells members that disagree on the leader or belong to different clusters', () => {
    const found = health({ 'etcd-3': { leaderId: ids[2] ?? '', clusterId: 'ffffffffffffffff' } });
    expect(found.state).toBe('degraded');
    expect(found.problems.join('\n')).toContain('members disagree on the leader');
    expect(found.problems.join('\n')).toContain('members belong to different clusters');
  });

  it('names alarms by member, once', () => {
    const alarms = [{ memberId: ids[1] ?? '', kind: 'NOSPACE' }];
    const found = health({ 'etcd-1': { alarms }, 'etcd-2': { alarms } });
    expect(found.alarms).toEqual(['NOSPACE on etcd-2']);
    expect(found.state).toBe('degraded');
  });

  it('tells the errors that a member tells of itself', () => {
    const found = health({ 'etcd-1': { errors: ['etcdserver: corrupt cluster'] } });
    expect(problemsOf(found, 'etcd-1')).toEqual(['etcdserver: corrupt cluster']);
    expect(found.state).toBe('degraded');
  });

  it('tells a member that answers and is in nobody’s list', () => {
    const members = membersOf(cluster, identity).filter((each) => each.name !== 'etcd-3');
    const found = health({ 'etcd-1': { members }, 'etcd-2': { members }, 'etcd-3': { members } });
    expect(problemsOf(found, 'etcd-3')).toEqual(['is not in the member list']);
    expect(found.members[2]?.role).toBe('unknown');
  });

  it('tells a host that cannot be reached', () => {
    const found = health({ 'etcd-3': 'down' }, { unreachable: { 'etcd-3': 'etcd-3: connection timed out' } });
    expect(problemsOf(found, 'etcd-3')).toEqual(['etcd-3: connection timed out', 'connection refused']);
    expect(found.members[2]).toMatchObject({ id: ids[2], role: 'voter', term: 0, servedUntil: undefined });
  });

  it('has no quorum where no etcd answers at all', () => {
    const found = health({}, { endpoints: {} });
    expect(found.state).toBe('no-quorum');
    expect(found.members.map((each) => each.role)).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it('measures the lag behind the member that is furthest', () => {
    const found = health({ 'etcd-1': { raftAppliedIndex: 900 }, 'etcd-2': { raftAppliedIndex: 850 } });
    expect(found.members.map((each) => each.lag)).toEqual([0, 50, 800]);
  });

  it('reads the version on disk from the link, and the running one from the member', () => {
    const link = { kind: 'link', target: '/usr/local/lib/etcd/3.6.17/etcd' } as const;
    const host = freshHost('etcd-1', { files: { '/usr/local/bin/etcd': link } });
    const hosts = { 'etcd-1': host };
    const found = health({}, { hosts });
    expect(found.members[0]).toMatchObject({ versionOnDisk: '3.6.17', versionRunning: '3.6.16' });
    expect(found.members[1]?.versionOnDisk).toBe('');
  });
});
