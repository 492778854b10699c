/** Members whose address or name the inventory changes: who is known for whom, and what is refused before anything is changed. */
import { describe, expect, it } from 'vitest';
import { guard } from '../../../src/apply/guard.ts';
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { HostFacts, MemberFact } from '../../../src/domain/facts.ts';
import { stage } from '../../../src/domain/plan.ts';
import type { Draft } from '../../../src/domain/step.ts';
import { votersOf } from '../../../src/domain/voters.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { planRotate } from '../../../src/plan/rotate.ts';
import { planRotateCa } from '../../../src/plan/rotate-ca.ts';
import { planVersion } from '../../../src/plan/upgrade.ts';
import type { View } from '../../../src/plan/view.ts';
import { planWhole, refusalOf } from '../../fakes/apply.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

/** An inventory of three, with these names and addresses. */
function inventory(hosts: Readonly<Record<string, string>>): Cluster {
  const all = { 'etcd-1': '10.0.0.1', 'etcd-2': '10.0.0.2', 'etcd-3': '10.0.0.3', ...hosts };
  return clusterOf('3.6.16', { controllers: Object.entries(all).map(([name, address]) => controller(name, address)) });
}

async function formed(wanted: Cluster): Promise<Model> {
  const model = createModel(inventory({}));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  model.want(wanted);
  return model;
}

const rotateCa = {
  ...({ direction: 'renew', purposes: ['client', 'peer'], until: 'leaves', crossSign: false } as const),
  ...{ allowDowntime: false, clients: [] },
};

const upgrade = { way: 'up', to: '3.7.3', via: [], abort: false, accepted: [], allowDowntime: false } as const;

const moved = inventory({ 'etcd-2': '10.0.1.9' });

/** What hosts tell is another. */
function withHost(view: View, name: string, change: (host: HostFacts) => HostFacts | undefined): View {
  const { [name]: own, ...others } = view.facts.hosts;
  const host = own && change(own);
  const hosts = host === undefined ? others : { ...others, [name]: host };
  const unreachable = host === undefined ? { [name]: `${name}: connection refused` } : {};
  return { ...view, facts: { ...view.facts, hosts, unreachable } };
}

/** The list that every member tells is another. */
function listing(view: View, change: (list: readonly MemberFact[]) => readonly MemberFact[]): View {
  const endpoints = Object.entries(view.facts.endpoints).map(
    ([name, each]) => [name, { ...each, members: change(each.members) }] as const,
  );
  return { ...view, facts: { ...view.facts, endpoints: Object.fromEntries(endpoints) } };
}

describe('a member at another address', () => {
  it('counts as the voter that it is, by the mark on its host', async () => {
    const { cluster, facts } = (await formed(moved)).view();
    expect(votersOf(cluster, facts)).toEqual(['etcd-1', 'etcd-2', 'etcd-3'].map((name) => ({ name, healthy: true })));
  });

  it('is no newcomer to member add, and nothing of it is moved away', async () => {
    const plan = planAdd((await formed(moved)).view(), { members: [], stallMs: 60_000 });
    expect(plan.stages).toEqual([]);
  });

  it('tells clients of the old address, and of a source address that certificates will lack', async () => {
    const view = withHost((await formed(moved)).view(), 'etcd-2', (host) => ({
      ...host,
      addresses: ['10.0.0.2', '10.0.1.9'],
    }));
    const warnings = planWhole(view).warnings.join('\n');
    expect(warnings).toContain(
      'etcd-2: clients that name https://10.0.0.2:2379 find it at https://10.0.1.9:2379 alone',
    );
    expect(warnings).toMatch(/etcd-2: still has 10\.0\.0\.2, .* name it under sans until it is gone/);
    const alone = withHost(view, 'etcd-2', (host) => ({ ...host, addresses: ['10.0.1.9'] }));
    expect(planWhole(alone).warnings.join('\n')).not.toContain('under sans');
  });

  it('stays where it is not among those chosen, or only a version is brought, and that is told', async () => {
    const view = (await formed(moved)).view();
    for (const changes of [{ members: ['etcd-1', 'etcd-3'] }, { only: ['version'] as const }]) {
      const plan = planWhole(view, changes);
      expect(JSON.stringify(plan.stages)).not.toContain('member.update');
      expect(plan.warnings).toContain(
        'etcd-2: stays at https://10.0.0.2:2380, and the inventory wants https://10.0.1.9:2380',
      );
    }
  });

  it.each([['config'], ['certs']] as const)('is not moved by half with --only %s', async (only) => {
    const view = (await formed(moved)).view();
    expect(refusalOf(() => planWhole(view, { only: [only] }))).toMatch(
      /refused: etcd-2: .* a half of it.*config,certs/,
    );
  });

  it.each<[string, (view: View) => unknown]>([
    ['certs rotate', (view) => planRotate(view, { members: [], purposes: ['server'], keys: 'make', due: false })],
    ['certs rotate-ca', (view) => planRotateCa(view, rotateCa)],
    ['upgrade', (view) => planVersion(view, upgrade)],
  ])('comes before %s, whose certificates or settings would be for the new address', async (_verb, planner) => {
    const view = (await formed(moved)).view();
    expect(refusalOf(() => planner(view))).toMatch(
      /refused: etcd-2: the cluster dials it at .*10\.0\.0\.2.*quorate apply/,
    );
  });
});

describe('refused is', () => {
  it('a change of places between two members', async () => {
    const view = (await formed(inventory({ 'etcd-2': '10.0.0.3', 'etcd-3': '10.0.0.2' }))).view();
    expect(refusalOf(() => planWhole(view))).toContain('2 members cannot be changed');
    const one = (await formed(inventory({ 'etcd-2': '10.0.0.3', 'etcd-3': '10.0.1.9' }))).view();
    expect(refusalOf(() => planWhole(one))).toMatch(
      /refused: etcd-2: is to be at .*10\.0\.0\.3:2380, .* etcd-3 to an address of its own first/,
    );
  });

  it('a name that another member has', async () => {
    const view = listing((await formed(inventory({}))).view(), (list) =>
      list.map((each) => ({ ...each, name: { 'etcd-2': 'etcd-3', 'etcd-3': 'etcd-2' }[each.name] ?? each.name })),
    );
    expect(refusalOf(() => planWhole(view))).toContain('2 members cannot be changed');
  });

  it('a move of a host that cannot be reached', async () => {
    const view = withHost((await formed(moved)).view(), 'etcd-2', () => undefined);
    expect(refusalOf(() => planWhole(view))).toMatch(
      /^unreachable: etcd-2: connection refused; it was to move from .*member replace/,
    );
  });

  it('a move where two hosts carry the mark of one member, or another member answers', async () => {
    const view = (await formed(moved)).view();
    const marker = view.facts.hosts['etcd-2']?.records.marker;
    const more = (await formed(inventory({ 'etcd-2': '10.0.1.9', 'etcd-4': '10.0.0.4' }))).view();
    const twin = withHost(more, 'etcd-4', (host) => ({ ...host, records: { ...host.records, marker } }));
    expect(refusalOf(() => planWhole(twin))).toContain('etcd-4 carries the mark of the same member');
    const endpoint = view.facts.endpoints['etcd-2'];
    if (endpoint === undefined) throw new Error('etcd-2 was not asked');
    const endpoints = { ...view.facts.endpoints, 'etcd-2': { ...endpoint, memberId: 'aaaaaaaaaaaaaaaa' } };
    const other = { ...view, facts: { ...view.facts, endpoints } };
    expect(refusalOf(() => planWhole(other))).toMatch(/marked as member .*, and member aaaaaaaaaaaaaaaa answers there/);
  });

  it('a move of one that is still on its way into the cluster', async () => {
    const view = listing((await formed(moved)).view(), (list) =>
      list.map((each) => (each.name === 'etcd-2' ? { ...each, learner: true } : each)),
    );
    expect(refusalOf(() => planWhole(view))).toMatch(/etcd-2: is on its way into the cluster at/);
  });
});

describe('the guard before member.update', () => {
  const draft = (view: View, name: string): Draft => ({
    ...{ kind: 'member.update', host: name, memberId: view.identity?.memberIds[name] ?? '', why: 'test' },
    peerUrls: ['https://10.0.1.9:2380'],
  });
  const said = (view: View): string =>
    refusalOf(() =>
      guard(stage('roll', 'test', 'rolling', [draft(view, 'etcd-2')]).steps, { view, mode: 'rolling', permits: {} }),
    );

  it('lets a voter pass, and neither a learner, nor one that is gone, nor an address that is taken', async () => {
    const view = (await formed(moved)).view();
    expect(said(view)).toBe('not refused');
    const learner = listing(view, (list) => list.map((each) => ({ ...each, learner: each.name === 'etcd-2' })));
    expect(said(learner)).toContain('is a learner');
    const gone = listing(view, (list) => list.filter((each) => each.name !== 'etcd-2'));
    expect(
      refusalOf(() =>
        guard(stage('roll', 'test', 'rolling', [draft(view, 'etcd-2')]).steps, {
          view: gone,
          mode: 'rolling',
          permits: {},
        }),
      ),
    ).toContain('is no member any more');
    const taken = listing(view, (list) =>
      list.map((each) => (each.name === 'etcd-3' ? { ...each, peerUrls: ['https://10.0.1.9:2380'] } : each)),
    );
    expect(said(taken)).toContain('is dialled');
  });
});
