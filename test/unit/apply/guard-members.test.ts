/** The guard before changes of who is a member, and before data is moved away from a host. */
import { describe, expect, it } from 'vitest';
import { guard } from '../../../src/apply/guard.ts';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { HostFacts, MemberFact } from '../../../src/domain/facts.ts';
import { stage } from '../../../src/domain/plan.ts';
import { type Draft, OPERATOR } from '../../../src/domain/step.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import type { View } from '../../../src/plan/view.ts';
import { runOn } from '../../fakes/executor.ts';
import { freshHost } from '../../fakes/facts.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const cluster = (count: number, version: '3.5.16' | '3.6.16' = '3.6.16') => {
  const hosts = Array.from({ length: count }, (_, index) => controller(`etcd-${index + 1}`, `10.0.0.${index + 1}`));
  return { ...clusterOf('3.6.16', { controllers: hosts }), version };
};

async function formed(count: number): Promise<Model> {
  const model = createModel(cluster(count));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

/** What the guard says of a step; 'may run' where it lets it pass. */
function said(draft: Draft, view: View, ending?: string): string {
  const mode = draft.host === OPERATOR ? 'operator' : 'parallel';
  try {
    guard(stage('test', 'test', mode, [draft]).steps, { view, mode, permits: ending === undefined ? {} : { ending } });
    return 'may run';
  } catch (error) {
    if (error instanceof QuorateError) return error.message;
    throw error;
  }
}

/** The list that every member tells is another. */
function listing(view: View, change: (list: readonly MemberFact[]) => readonly MemberFact[]): View {
  const endpoints = Object.entries(view.facts.endpoints).map(
    ([name, each]) => [name, { ...each, members: change(each.members) }] as const,
  );
  return { ...view, facts: { ...view.facts, endpoints: Object.fromEntries(endpoints) } };
}

function stop(model: Model, name: string): void {
  model.edit(name, (host) => ({ ...host, unit: { ...host.unit, activeState: 'inactive' } }));
}

const why = 'test';
const host = OPERATOR;
const idOf = (view: View, name: string): string => view.identity?.memberIds[name] ?? '';
const removal = (view: View, member: string): Draft => ({
  ...{ kind: 'member.remove', host, member, memberId: idOf(view, member), why },
});
const newcomer: MemberFact = { id: 'a1', name: '', peerUrls: ['https://10.0.0.9:2380'], clientUrls: [], learner: true };
const addition: Draft = { kind: 'member.add', host, member: 'etcd-4', peerUrl: 'https://10.0.0.4:2380', why };

describe('who comes', () => {
  it('comes alone: nobody is added while another one is on its way', async () => {
    const view = (await formed(3)).view();
    expect(said(addition, view)).toBe('may run');
    for (const each of [newcomer, { ...newcomer, name: 'etcd-9' }, { ...newcomer, learner: false }]) {
      expect(
        said(
          addition,
          listing(view, (list) => [...list, each]),
        ),
      ).toMatch(/on its way.*one at a time/);
    }
  });

  it('comes beside one that is down only where etcd allows it', async () => {
    const model = await formed(4);
    stop(model, 'etcd-1');
    const fifth: Draft = { ...addition, member: 'etcd-5', peerUrl: 'https://10.0.0.5:2380' };
    const view = model.view();
    expect(said(fifth, view)).toBe('may run');
    expect(said(fifth, { ...view, cluster: cluster(4, '3.5.16') })).toContain('etcd wants 4 of 4 voters healthy');
  });

  it('is started only once the list has it', async () => {
    const view = (await formed(3)).view();
    const start: Draft = {
      kind: 'unit.start',
      host: 'etcd-3',
      unit: 'etcd.service',
      state: 'existing',
      files: [],
      why,
    };
    const hosts = { ...view.facts.hosts, 'etcd-3': freshHost('etcd-3') };
    const bare: View = { ...view, facts: { ...view.facts, hosts } };
    const outside = listing(bare, (list) => list.filter((each) => each.name !== 'etcd-3'));
    expect(said(start, outside)).toContain('is not in the member list');
  });
});

describe('who goes', () => {
  it('leaves a majority behind', async () => {
    const model = await formed(3);
    expect(said(removal(model.view(), 'etcd-2'), model.view())).toBe('may run');
    stop(model, 'etcd-3');
    expect(said(removal(model.view(), 'etcd-2'), model.view())).toContain('would leave 1 of 2 voters healthy');
    expect(said(removal(model.view(), 'etcd-3'), model.view())).toBe('may run');
  });

  it('is never the last voter, learners or not', async () => {
    const view = (await formed(1)).view();
    expect(said(removal(view, 'etcd-1'), view)).toContain('is the last member');
    expect(
      said(
        removal(view, 'etcd-1'),
        listing(view, (list) => [...list, newcomer]),
      ),
    ).toContain('is the last member');
    const back: Draft = { kind: 'member.remove', host, member: 'a1', memberId: 'a1', why };
    expect(
      said(
        back,
        listing(view, (list) => [...list, newcomer]),
      ),
    ).toBe('may run');
  });

  it('is judged by the list of the quorum alone', async () => {
    const model = await formed(3);
    stop(model, 'etcd-1');
    stop(model, 'etcd-2');
    expect(said(removal(model.view(), 'etcd-1'), model.view())).toContain('no member answers through the quorum');
  });
});

describe('data is moved away', () => {
  const aside: Draft = { kind: 'data.aside', host: 'etcd-3', path: '/var/lib/etcd', entry: 'member', why };
  const gone = (view: View): View => listing(view, (list) => list.filter((each) => each.name !== 'etcd-3'));
  const noting = (view: View, change: (known: HostFacts) => HostFacts): View => {
    const known = view.facts.hosts['etcd-3'];
    if (known === undefined) throw new Error('etcd-3 was not looked at');
    return { ...view, facts: { ...view.facts, hosts: { ...view.facts.hosts, 'etcd-3': change(known) } } };
  };

  it('once the cluster has the member no more, and not before', async () => {
    const model = await formed(3);
    expect(said(aside, model.view())).toMatch(/its data is that of member [0-9a-f]+, which the cluster still has/);
    stop(model, 'etcd-3');
    expect(said(aside, model.view())).toContain('which the cluster still has');
    expect(said(aside, gone(model.view()))).toBe('may run');
  });

  it('not while any note on the host is of a member', async () => {
    const view = gone((await formed(3)).view());
    const marker = view.facts.hosts['etcd-1']?.records.marker;
    for (const key of ['marker', 'starting', 'attempt'] as const) {
      const noted = noting(view, (known) => ({ ...known, records: { ...known.records, [key]: marker } }));
      expect(said(aside, noted), key).toContain('which the cluster still has');
    }
  });

  it('not while nothing tells who is a member; that of a cluster that ends, by its name', async () => {
    const model = await formed(3);
    stop(model, 'etcd-1');
    stop(model, 'etcd-2');
    expect(said(aside, model.view())).toContain('nothing tells who is a member');
    expect(said(aside, model.view(), model.cluster.name)).toBe('may run');
  });
});

it('leadership goes to nobody who does not serve', async () => {
  const model = await formed(3);
  const move: Draft = { kind: 'leader.move', host, to: 'etcd-2', why };
  expect(said(move, model.view())).toBe('may run');
  stop(model, 'etcd-2');
  expect(said(move, model.view())).toContain('etcd-2 does not serve');
});

it('an alarm stays as long as its member does', async () => {
  const view = (await formed(3)).view();
  const disarm = (memberId: string): Draft => ({ kind: 'alarm.disarm', host, memberId, alarm: 'CORRUPT', why });
  expect(said(disarm(idOf(view, 'etcd-2')), view)).toContain('its alarm stays');
  expect(said(disarm('a1'), view)).toBe('may run');
});
