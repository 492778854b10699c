import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Check, checksStatus } from '../../../src/domain/check.ts';
import { compareHashes, type MemberHash } from '../../../src/domain/divergence.ts';
import { divergenceCheck, driftCheck, proofCheck } from '../../../src/domain/evidence-checks.ts';
import type { EndpointFacts, Facts } from '../../../src/domain/facts.ts';
import { clusterHealth } from '../../../src/domain/health.ts';
import { printJunit } from '../../../src/domain/junit.ts';
import type { MemberMetrics } from '../../../src/domain/metrics.ts';
import { stateChecks } from '../../../src/domain/state-checks.ts';
import { endpointOf, freshHost, identityWith, NOW, silentEndpoint } from '../../fakes/facts.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const identity = identityWith(cluster, 'uuid-1', 'token-1');
const names = cluster.controllers.map((each) => each.name);
const GIB = 2 ** 30;
const roomy: MemberMetrics = {
  ...{ quotaBytes: 2 * GIB, walSync99Ms: 4, openFiles: 10, maxFiles: 65_536, lostPeers: [] },
};

type Changes = Readonly<Record<string, Partial<EndpointFacts> | 'down'>>;

function checks(changes: Changes = {}, more: Partial<Facts> = {}, elections = 1): readonly Check[] {
  const endpoints = Object.fromEntries(
    names.map((name) => {
      const change = changes[name] ?? {};
      return [name, change === 'down' ? silentEndpoint(name, 'refused') : endpointOf(cluster, identity, name, change)];
    }),
  );
  const hosts = Object.fromEntries(names.map((name) => [name, freshHost(name)]));
  const facts: Facts = { observedAt: NOW, hosts, endpoints, unreachable: {}, ...more };
  const metrics = Object.fromEntries(names.map((name) => [name, roomy]));
  return stateChecks({ facts, health: clusterHealth(cluster, facts, () => NOW + 1e9), metrics, elections });
}

const find = (all: readonly Check[], id: string): Check | undefined => all.find((each) => each.id === id);

describe('checks of states', () => {
  it('are all ok on a whole cluster', () => {
    expect(checks().map((each) => `${each.id} ${each.state}`)).toEqual(
      ['hosts', 'members', 'leader', 'leader-churn', 'alarms', 'quota', 'fragmentation', 'clocks'].map(
        (id) => `${id} ok`,
      ),
    );
  });

  const mostOf2GiB = { dbSizeBytes: 1.7 * GIB, dbInUseBytes: 1.6 * GIB };
  const cases: readonly (readonly [string, string, Changes, Partial<Facts>, number])[] = [
    ['members warning', 'etcd-3: refused', { 'etcd-3': 'down' }, {}, 1],
    ['members critical', 'etcd-2: refused', { 'etcd-2': 'down', 'etcd-3': 'down' }, {}, 1],
    ['leader critical', 'etcd-2 follows 0 in term 2', { 'etcd-2': { leaderId: '0' } }, {}, 1],
    ['leader-churn warning', '4 leaders were elected within an hour (limit 3)', {}, {}, 4],
    [
      'alarms critical',
      'NOSPACE on etcd-1',
      { 'etcd-2': { alarms: [{ memberId: identity.memberIds['etcd-1'] ?? '', kind: 'NOSPACE' }] } },
      {},
      1,
    ],
    ['quota warning', 'etcd-2: 1740.8 of 2048.0 MiB (85 %)', { 'etcd-2': mostOf2GiB }, {}, 1],
    [
      'quota critical',
      'etcd-2: 1986.6 of 2048.0 MiB (97 %)',
      { 'etcd-2': { dbSizeBytes: 1.94 * GIB, dbInUseBytes: GIB } },
      {},
      1,
    ],
    [
      'fragmentation warning',
      'etcd-1: 75 % of 200.0 MiB are free pages',
      { 'etcd-1': { dbSizeBytes: 200 * 2 ** 20, dbInUseBytes: 50 * 2 ** 20 } },
      {},
      1,
    ],
    ['hosts warning', 'etcd-3: timed out', {}, { unreachable: { 'etcd-3': 'etcd-3: timed out' } }, 1],
  ];
  it.each(cases)('%s: %s', (wanted, detail, changes, more, elections) => {
    const [id = '', state] = wanted.split(' ');
    const found = find(checks(changes, more, elections), id);
    expect([found?.state, found?.details]).toEqual([state, expect.arrayContaining([detail])]);
  });

  it('skip elections where no journal could be read', () => {
    const facts: Facts = { observedAt: NOW, hosts: {}, endpoints: {}, unreachable: {} };
    const health = clusterHealth(cluster, facts, () => NOW);
    expect(find(stateChecks({ facts, health, metrics: {}, elections: undefined }), 'leader-churn')?.state).toBe(
      'skipped',
    );
  });

  it('do not call a small file fragmented, however empty', () => {
    expect(find(checks({ 'etcd-1': { dbSizeBytes: 90 * 2 ** 20, dbInUseBytes: 4_096 } }), 'fragmentation')?.state).toBe(
      'ok',
    );
  });

  it('skip what no member answers for', () => {
    const all = checks({ 'etcd-1': 'down', 'etcd-2': 'down', 'etcd-3': 'down' });
    expect(['alarms', 'quota', 'fragmentation'].map((id) => find(all, id)?.state)).toEqual([
      'skipped',
      'skipped',
      'skipped',
    ]);
    expect(checksStatus(all)).toBe(3);
  });
});

describe('hashes at one revision', () => {
  const hash = (host: string, value: number, compactRevision = 1): MemberHash => ({
    ...{ host, memberId: `id-of-${host}`, revision: 9, compactRevision, hash: value },
  });

  it.each([
    [[7, 7, 7], 'equal', []],
    [[7, 8, 7], 'differs', ['b']],
    [[7, 8, 9], 'differs', ['a', 'b', 'c']],
    [[7, 8], 'differs', ['a', 'b']],
    [[7, 7, 7, 8, 8], 'differs', ['d', 'e']],
  ])('%j: %s', (values, state, differing) => {
    const hashes = values.map((value, index) => hash('abcde'[index] ?? '', value));
    expect(compareHashes(hashes)).toMatchObject({ state, differing });
  });

  it('name the member, with its ID, that differs from the majority', () => {
    expect(divergenceCheck({ value: [hash('a', 7), hash('b', 7), hash('c', 8)] })).toMatchObject({
      ...{ state: 'critical', seen: 'c differs from the majority', details: ['c (id-of-c): hash 8 at revision 9'] },
    });
  });

  it('are not compared across compactions, and one member has nobody to differ from', () => {
    expect(divergenceCheck({ value: [hash('a', 7, 1), hash('b', 8, 2)] }).state).toBe('skipped');
    expect(divergenceCheck({ value: [hash('a', 7)] }).state).toBe('skipped');
    expect(divergenceCheck({ failure: 'no member answers' })).toMatchObject({
      state: 'skipped',
      details: ['no member answers'],
    });
  });
});

describe('proof and drift', () => {
  it('fail where there is no answer', () => {
    expect(proofCheck({ failure: 'x' }, { readOnly: true }).state).toBe('critical');
    expect(driftCheck({ failure: 'x' }).state).toBe('warning');
  });

  it('tell each thing that is wrong', () => {
    expect(proofCheck({ value: ['a', 'b'] }, { readOnly: false })).toMatchObject({
      state: 'critical',
      details: ['a', 'b'],
    });
    expect(driftCheck({ value: ['a'] })).toMatchObject({ state: 'warning', seen: '1 steps' });
    expect(proofCheck({ value: [] }, { readOnly: true })).toMatchObject({
      state: 'ok',
      seen: 'proved, without a write',
    });
  });
});

describe('JUnit XML', () => {
  it('counts failures and skipped checks, and tells levels apart', () => {
    const all: readonly Check[] = [
      { id: 'a', title: 'A', state: 'ok', seen: 'fine', details: [] },
      { id: 'b', title: 'B', state: 'warning', seen: 'so so', details: ['one', 'two'] },
      { id: 'c', title: 'C', state: 'critical', seen: 'bad', details: ['<&">\u0007'] },
      { id: 'd', title: 'D', state: 'skipped', seen: '', details: ['why'] },
    ];
    expect(printJunit('prod', all, NOW)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="quorate" tests="4" failures="2" errors="0" skipped="1" time="0">
  <testsuite name="quorate verify prod" tests="4" failures="2" errors="0" skipped="1" time="0" timestamp="2026-01-01T00:00:00">
    <testcase classname="quorate.prod" name="a: A" time="0"><system-out>fine</system-out></testcase>
    <testcase classname="quorate.prod" name="b: B" time="0"><failure type="warning" message="so so">one
two</failure></testcase>
    <testcase classname="quorate.prod" name="c: C" time="0"><failure type="critical" message="bad">&lt;&amp;&quot;&gt;\ufffd</failure></testcase>
    <testcase classname="quorate.prod" name="d: D" time="0"><skipped message="why"/></testcase>
  </testsuite>
</testsuites>
`);
  });

  it('is well-formed, whatever was seen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('ok', 'warning', 'skipped'), (text, state) => {
        const xml = printJunit(text, [{ id: text, title: text, state, seen: text, details: [text] }], NOW);
        const bare = xml.replaceAll(
          /<\/?[a-z-]+( [a-z]+="[^"<&]*(&(amp|lt|gt|quot|#10);[^"<&]*)*")*\/?>|<\?xml [^?]*\?>/g,
          '',
        );
        expect(bare.replaceAll(/&(amp|lt|gt|quot);/g, '')).not.toMatch(/[<&]/);
        expect(xml).not.toMatch(/(?![\t\n\r])\p{Cc}|\p{Cs}/u);
      }),
    );
  });
});
