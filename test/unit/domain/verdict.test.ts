import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointFacts, Facts, HostFacts, MemberFact } from '../../../src/domain/facts.ts';
import { BOOTSTRAP_ENVIRONMENT } from '../../../src/domain/layout.ts';
import { type Identity, judgeCluster, type Verdict } from '../../../src/domain/verdict.ts';
import { attemptOf, endpointOf, freshHost, identityWith, NOW } from '../../fakes/facts.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const names = cluster.controllers.map((each) => each.name);
const identity = identityWith(cluster, 'uuid-1', 'token-1');

/** What a host may show of a bootstrap. */
interface Trace {
  readonly attempt?: boolean | undefined;
  readonly starting?: boolean | undefined;
  readonly marker?: boolean | undefined;
  readonly wal?: boolean | undefined;
  readonly active?: boolean | undefined;
  /** How often the first start, which is under way, was tried again. */
  readonly tries?: number | undefined;
  /** UUID in its records. */
  readonly uuid?: string | undefined;
  /** Cluster ID in its records. */
  readonly clusterId?: string | undefined;
}

function hostWith(name: string, trace: Trace): HostFacts {
  const fresh = freshHost(name);
  const own = attemptOf(identity, name);
  const record = { ...own, uuid: trace.uuid ?? own.uuid, clusterId: trace.clusterId ?? own.clusterId };
  const marker = { ...record, cluster: cluster.name, healthyAt: '2025-12-31T00:00:00.000Z' };
  return {
    ...fresh,
    unit: { ...fresh.unit, activeState: trace.active ? 'active' : 'inactive', ...firstStart(trace.tries) },
    data: { ...fresh.data, wal: trace.wal === true },
    files: trace.tries === undefined ? {} : { [BOOTSTRAP_ENVIRONMENT]: environment },
    records: {
      attempt: trace.attempt ? record : undefined,
      starting: trace.starting ? record : undefined,
      marker: trace.marker ? marker : undefined,
      lock: undefined,
    },
  };
}

const environment = { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256: '' } as const;

function firstStart(restarts: number | undefined): Partial<HostFacts['unit']> {
  if (restarts === undefined) return {};
  return { activeState: 'activating', subState: 'start', restarts };
}

function judge(
  traces: readonly Trace[],
  known: Identity | 'none' = identity,
  endpoints: Readonly<Record<string, EndpointFacts>> = {},
): Verdict {
  const hosts = Object.fromEntries(names.map((name, index) => [name, hostWith(name, traces[index] ?? {})]));
  const facts: Facts = { observedAt: NOW, hosts, endpoints, unreachable: {} };
  return judgeCluster(cluster, facts, known === 'none' ? undefined : known);
}

function refusal(verdict: Verdict): string {
  return verdict.kind === 'refused' ? `${verdict.message}\n${verdict.hint}` : `not refused: ${verdict.kind}`;
}

const nothing: Trace = {};
const attempted: Trace = { attempt: true };
const noted: Trace = { attempt: true, starting: true };
const started: Trace = { attempt: true, starting: true, wal: true };
const formed: Trace = { attempt: true, starting: true, wal: true, marker: true };
const wiped: Trace = { attempt: true, starting: true };
const whole = { kind: 'formed', unmarked: [], arriving: [], outsiders: [] };

describe('hosts on which nothing ever was', () => {
  it('are new, with and without a state directory', () => {
    expect(judge([nothing, nothing, nothing], 'none')).toEqual({ kind: 'new' });
    expect(judge([nothing, nothing, nothing])).toEqual({ kind: 'new' });
  });

  it('are refused with data that this inventory did not make', () => {
    const text = refusal(judge([nothing, { wal: true }, nothing]));
    expect(text).toContain('etcd-2: /var/lib/etcd holds the data of an etcd that this inventory did not make');
    expect(text).toContain('mv /var/lib/etcd /var/lib/etcd.old');
  });
});

describe('a cluster that the store knows to be formed', () => {
  const known: Identity = { ...identity, formedAt: '2025-12-31T00:00:00.000Z' };

  it('is never built anew on hosts that carry nothing of it: a mistyped address, or all of them wiped', () => {
    const text = refusal(judge([nothing, nothing, nothing], known));
    expect(text).toContain('has been formed (2025-12-31T00:00:00.000Z), and its hosts carry nothing of it');
    expect(text).toContain('addresses');
    expect(text).toContain('quorate reset');
  });

  it('is never built anew where the data went before the marks were made', () => {
    expect(refusal(judge([wiped, wiped, wiped], known))).toContain('no member has its data any more');
    expect(refusal(judge([attempted, nothing, nothing], known))).toContain('no member has its data any more');
    expect(refusal(judge([started, started, attempted], known))).toContain('etcd-3: was started before');
  });

  it('still has to be marked where quorate was killed between the note and the marks', () => {
    expect(judge([started, started, started], known)).toEqual({ ...whole, unmarked: names });
    expect(judge([formed, started, started], known)).toEqual({ ...whole, unmarked: ['etcd-2', 'etcd-3'] });
  });
});

describe('a bootstrap that did not finish', () => {
  const newEverywhere = { 'etcd-1': 'new', 'etcd-2': 'new', 'etcd-3': 'new' };

  it('goes on with new where no host has data', () => {
    expect(judge([attempted, nothing, nothing])).toEqual({ kind: 'unfinished', starts: newEverywhere });
    expect(judge([attempted, attempted, attempted])).toEqual({ kind: 'unfinished', starts: newEverywhere });
  });

  it('goes on with new where members were about to start and none has data', () => {
    expect(judge([noted, noted, attempted])).toEqual({ kind: 'unfinished', starts: newEverywhere });
  });

  it('leaves a member alone whose first start is under way, whether another has data by then or not', () => {
    const under = { ...noted, tries: 0 };
    expect(judge([started, under, { ...attempted, tries: 0 }])).toEqual({
      kind: 'unfinished',
      starts: { 'etcd-1': 'started', 'etcd-2': 'started', 'etcd-3': 'started' },
    });
    expect(judge([attempted, under, attempted])).toMatchObject({ starts: { 'etcd-1': 'new', 'etcd-2': 'started' } });
  });

  it('is refused where a start without data is not the first', () => {
    expect(refusal(judge([started, { ...noted, tries: 1 }, started]))).toContain('etcd-2: was started before');
  });

  it('leaves a member that has data as it is, and starts one that never started as new while there is no leader', () => {
    expect(judge([started, started, attempted])).toEqual({
      kind: 'unfinished',
      starts: { 'etcd-1': 'started', 'etcd-2': 'started', 'etcd-3': 'new' },
    });
  });

  it('lets a member that never started join with existing once the others have a leader', () => {
    const endpoints = { 'etcd-1': endpointOf(cluster, identity, 'etcd-1') };
    expect(judge([started, started, attempted], identity, endpoints)).toEqual({
      kind: 'unfinished',
      starts: { 'etcd-1': 'started', 'etcd-2': 'started', 'etcd-3': 'existing' },
    });
  });

  it.each([
    ['that does not read linearizably', { linearizable: false }],
    ['without a leader', { leaderId: '0' }],
    ['of another cluster', { clusterId: 'ffffffffffffffff' }],
    ['that does not answer', { failure: 'refused' }],
  ])('takes no word from an endpoint %s', (_name, changes) => {
    const endpoints = { 'etcd-1': endpointOf(cluster, identity, 'etcd-1', changes) };
    expect(judge([started, started, attempted], identity, endpoints)).toMatchObject({ starts: { 'etcd-3': 'new' } });
  });

  it('takes a unit that starts without any record yet for an unfinished one', () => {
    expect(judge([{ active: true }, nothing, nothing]).kind).toBe('unfinished');
  });

  it('is refused where one that was started has no data while another has', () => {
    const text = refusal(judge([started, started, wiped]));
    expect(text).toContain('etcd-3: was started before and has no data now, while etcd-1, etcd-2 have:');
    expect(text).toContain('a majority still has the data');
    expect(text).toContain('quorate reset');
  });

  it('is refused after two of three were wiped, and asks for a snapshot first', () => {
    const text = refusal(judge([wiped, started, wiped]));
    expect(text).toContain('etcd-1, etcd-3: were started before');
    expect(text).toContain('save a snapshot from etcd-2 first');
  });

  it('is refused where a host has lost its records with its data while another has data', () => {
    expect(refusal(judge([started, nothing, nothing]))).toContain(
      'etcd-2, etcd-3: have neither data nor a record of this cluster',
    );
  });

  it('is refused where the members were changed after one of them had started', () => {
    const before = { ...started, clusterId: 'aaaaaaaaaaaaaaaa' };
    const text = refusal(judge([before, attempted, attempted]));
    expect(text).toContain('etcd-1: was started as a member of cluster aaaaaaaaaaaaaaaa');
    expect(text).toContain(identity.clusterId);
  });

  it('goes on where the members were changed before any of them started', () => {
    const before = { ...attempted, clusterId: 'aaaaaaaaaaaaaaaa' };
    expect(judge([before, attempted, nothing]).kind).toBe('unfinished');
  });
});

describe('a cluster that has been healthy', () => {
  it('is formed', () => {
    expect(judge([formed, formed, formed])).toEqual(whole);
  });

  it('is formed where only some are marked yet', () => {
    expect(judge([formed, started, started])).toEqual({ ...whole, unmarked: ['etcd-2', 'etcd-3'] });
  });

  it('is refused after one of three was wiped', () => {
    expect(refusal(judge([formed, formed, { ...formed, wal: false }]))).toContain('a majority still has the data');
  });

  it('is refused after two of three were wiped', () => {
    const gone = { ...formed, wal: false };
    expect(refusal(judge([gone, formed, gone]))).toContain('save a snapshot from etcd-2 first');
  });

  it('is refused after all were wiped, with the time since which it had been healthy', () => {
    const gone = { ...formed, wal: false };
    const text = refusal(judge([gone, gone, gone]));
    expect(text).toContain('has been healthy (since 2025-12-31T00:00:00.000Z), and no member has its data any more');
    expect(text).toContain('restore a snapshot');
  });

  it('is refused where one host is not known to it', () => {
    const text = refusal(judge([formed, formed, nothing]));
    expect(text).toContain('etcd-3: has neither data nor a record of this cluster');
    expect(text).not.toContain('was started before');
  });

  it('is refused where the only marked host was wiped between the first healthy moment and the other markers', () => {
    expect(refusal(judge([{ ...formed, wal: false }, started, started]))).toContain('etcd-1: was started before');
  });
});

describe('a cluster whose own list tells who is a member', () => {
  /** What every member that answers says, with these changes to etcd-3's entry; undefined: it has none. */
  const answers = (third: Partial<MemberFact> | undefined, changes: Partial<EndpointFacts> = {}) => {
    const { members } = endpointOf(cluster, identity, 'etcd-1');
    const list = members.flatMap((each) => {
      if (each.name !== 'etcd-3') return [each];
      return third === undefined ? [] : [{ ...each, ...third }];
    });
    return { 'etcd-1': endpointOf(cluster, identity, 'etcd-1', { members: list, ...changes }) };
  };

  it('has outsiders, who need no data', () => {
    expect(judge([formed, formed, nothing], identity, answers(undefined))).toEqual({ ...whole, outsiders: ['etcd-3'] });
  });

  it('has members that never started, who need no data either', () => {
    const never = answers({ name: '', learner: true });
    expect(judge([formed, formed, attempted], identity, never)).toEqual({ ...whole, arriving: ['etcd-3'] });
  });

  it('has learners, and one without its data has lost it', () => {
    expect(judge([formed, formed, started], identity, answers({ learner: true }))).toEqual({
      ...whole,
      arriving: ['etcd-3'],
    });
    expect(refusal(judge([formed, formed, wiped], identity, answers({ learner: true })))).toContain(
      'etcd-3: was started before and has no data now',
    );
  });

  it('is asked through its quorum alone, and under its own ID', () => {
    const lost = 'etcd-3: has neither data nor a record of this cluster';
    const hidden = [
      answers(undefined, { linearizable: false }),
      answers(undefined, { failure: 'etcd-1: timeout' }),
      answers(undefined, { clusterId: 'aaaaaaaaaaaaaaaa' }),
    ];
    for (const each of hidden) expect(refusal(judge([formed, formed, nothing], identity, each))).toContain(lost);
  });
});

describe('records of another cluster', () => {
  it.each(['attempt', 'starting', 'marker'] as const)('in the %s are refused with both UUIDs', (record) => {
    const text = refusal(judge([{ [record]: true, uuid: 'uuid-9' }, nothing, nothing]));
    expect(text).toContain('etcd-1: belongs to another cluster (UUID uuid-9; this inventory');
    expect(text).toContain('uuid-1');
  });

  it('are found beside own ones', () => {
    const host = hostWith('etcd-1', started);
    const foreign = { ...attemptOf(identity, 'etcd-1'), uuid: 'uuid-9' };
    const hosts = {
      'etcd-1': { ...host, records: { ...host.records, starting: foreign } },
      'etcd-2': hostWith('etcd-2', attempted),
      'etcd-3': hostWith('etcd-3', attempted),
    };
    const facts: Facts = { observedAt: NOW, hosts, endpoints: {}, unreachable: {} };
    expect(refusal(judgeCluster(cluster, facts, identity))).toContain('belongs to another cluster (UUID uuid-9');
  });

  it('without a state directory are refused and ask for its backup', () => {
    const text = refusal(judge([formed, formed, formed], 'none'));
    expect(text).toContain('the state directory /state holds no cluster');
    expect(text).toContain('restore that state directory');
  });
});

describe('any hosts whatever', () => {
  const trace = fc.record(
    { attempt: fc.boolean(), starting: fc.boolean(), marker: fc.boolean(), wal: fc.boolean(), active: fc.boolean() },
    { requiredKeys: [] },
  );
  const traces = fc.array(trace, { minLength: 3, maxLength: 3 });
  const leads = fc.boolean();
  const endpointsOf = (healthy: boolean): Readonly<Record<string, EndpointFacts>> =>
    healthy ? { 'etcd-1': endpointOf(cluster, identity, 'etcd-1') } : {};

  it('are never built on where one has data and another lost it', () => {
    fc.assert(
      fc.property(traces, leads, (hosts, healthy) => {
        const data = hosts.some((each) => each.wal);
        const lost = hosts.some((each) => !each.wal && (each.starting || each.marker || !each.attempt));
        if (data && lost) expect(judge(hosts, identity, endpointsOf(healthy)).kind).toBe('refused');
      }),
      { numRuns: 1000 },
    );
  });

  it('are never built on anew where one was marked and one has no data', () => {
    fc.assert(
      fc.property(traces, leads, (hosts, healthy) => {
        const lost = hosts.some((each) => each.marker) && hosts.some((each) => !each.wal);
        if (lost) expect(judge(hosts, identity, endpointsOf(healthy)).kind).toBe('refused');
      }),
      { numRuns: 1000 },
    );
  });

  it('never have a member that holds data started as new, nor one left out', () => {
    fc.assert(
      fc.property(traces, leads, (hosts, healthy) => {
        const verdict = judge(hosts, identity, endpointsOf(healthy));
        if (verdict.kind === 'new') expect(hosts.some((each) => each.wal || each.attempt)).toBe(false);
        if (verdict.kind !== 'unfinished') return;
        expect(Object.keys(verdict.starts)).toEqual(names);
        for (const [index, name] of names.entries()) {
          expect(verdict.starts[name] === 'started').toBe(hosts[index]?.wal === true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
