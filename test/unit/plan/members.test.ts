/** What the verbs of `member` plan, and what they refuse. */
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { EndpointFacts, MemberFact } from '../../../src/domain/facts.ts';
import { withDeparting } from '../../../src/domain/membership.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { planApply } from '../../../src/plan/apply.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd, planPromote } from '../../../src/plan/member-add.ts';
import { planRemove } from '../../../src/plan/member-remove.ts';
import { planReplace } from '../../../src/plan/member-replace.ts';
import { planMoveLeader } from '../../../src/plan/move-leader.ts';
import type { View } from '../../../src/plan/view.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const stallMs = 60_000;
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);
/** Each name at the address of its number, or of another one. */
const inventory = (members: readonly string[], at: Readonly<Record<string, number>> = {}) =>
  clusterOf('3.6.16', {
    controllers: members.map((name) => controller(name, `10.0.0.${at[name] ?? name.slice(5)}`)),
  });

async function formed(count: number): Promise<Model> {
  const model = createModel(inventory(names(count)));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof QuorateError) return `${error.code}: ${error.message}\n${error.hint}`;
    throw error;
  }
  return 'not refused';
}

function stop(model: Model, name: string): void {
  model.edit(name, (host) => ({ ...host, unit: { ...host.unit, activeState: 'inactive' } }));
}

/** Every member's answer is another. */
function answering(view: View, change: (each: EndpointFacts) => EndpointFacts): View {
  const endpoints = Object.entries(view.facts.endpoints).map(([name, each]) => [name, change(each)] as const);
  return { ...view, facts: { ...view.facts, endpoints: Object.fromEntries(endpoints) } };
}

const listing = (view: View, change: (list: readonly MemberFact[]) => readonly MemberFact[]): View =>
  answering(view, (each) => ({ ...each, members: change(each.members) }));

const everything = {
  ...{ only: [], members: [], remove: [], stallMs },
  downtime: { allowed: false, required: true },
};

const ids = (plan: Plan): readonly string[] => plan.stages.map((each) => each.id);
const replace = (view: View, member: string, by?: string): Plan => planReplace(view, { member, with: by, stallMs });

describe('a name', () => {
  it('that is one member to the inventory and another to the cluster is refused; its ID is not', async () => {
    const model = await formed(3);
    model.want(inventory(names(3), { 'etcd-2': 3, 'etcd-3': 2 }));
    const view = model.view();
    const own = view.facts.endpoints['etcd-1']?.members.find((each) => each.name === 'etcd-3');
    expect(refusal(() => planRemove(view, { members: ['etcd-3'] }))).toMatch(/refused: etcd-3: may mean .*by its ID/s);
    expect(refusal(() => replace(view, 'etcd-3'))).toContain('may mean');
    const byId = planRemove(view, { members: [own?.id ?? ''] });
    const removed = byId.stages.flatMap((each) => each.steps).find((step) => step.kind === 'member.remove');
    expect(removed?.memberId).toBe(own?.id);
  });

  it('counts once, however often one member is named', async () => {
    const view = (await formed(3)).view();
    const id = view.identity?.memberIds['etcd-3'] ?? '';
    expect(ids(planRemove(view, { members: ['etcd-3', id, 'etcd-3'] }))).toEqual(
      ids(planRemove(view, { members: ['etcd-3'] })),
    );
  });

  it('that neither has is wrong usage, with those that there are', async () => {
    const view = (await formed(3)).view();
    expect(refusal(() => planRemove(view, { members: ['etcd-9'] }))).toMatch(/usage: etcd-9: neither.*etcd-1 \(/s);
  });

  it('of a member whose address was changed is that of its host by its mark: it is removed first, and cleaned', async () => {
    const model = await formed(3);
    model.want(inventory(names(3), { 'etcd-3': 9 }));
    const plan = replace(model.view(), 'etcd-3');
    expect(plan.stages.flatMap((each) => each.steps).find((step) => step.kind === 'member.remove')).toMatchObject({
      memberId: model.view().identity?.memberIds['etcd-3'],
    });
    expect(plan.stages.flatMap((each) => each.steps).some((step) => step.kind === 'data.aside')).toBe(true);
  });
});

describe('what comes', () => {
  it('needs a host without data that nobody knows', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    model.edit('etcd-4', (host) => ({ ...host, data: { ...host.data, wal: true } }));
    expect(refusal(() => planAdd(model.view(), { members: [], stallMs }))).toContain(
      'holds the data of an etcd that this inventory did not make',
    );
  });

  it('needs one in the place of another too', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    model.edit('etcd-4', (host) => ({ ...host, data: { ...host.data, wal: true } }));
    expect(refusal(() => replace(model.view(), 'etcd-2', 'etcd-4'))).toContain('etcd-4: holds data of an etcd already');
  });

  it('has what an earlier member left on its host moved aside first', async () => {
    const model = await formed(3);
    const plug = model.unplug('etcd-3');
    expect(
      (await runOn(model, planRemove(model.view(), { members: ['etcd-3'] }), { unconnected: ['etcd-3'] })).error,
    ).toBeUndefined();
    plug();
    const plan = planAdd(model.view(), { members: ['etcd-3'], stallMs });
    expect(plan.stages.find((each) => each.id === 'leftovers')?.steps.map((step) => step.kind)).toContain('data.aside');
    expect((await runOn(model, plan)).error).toBeUndefined();
    expect(model.members.list().map((each) => [each.name, each.learner])).toEqual(
      names(3).map((name) => [name, false]),
    );
  });

  it('waits for whoever is on the way', async () => {
    const model = await formed(3);
    model.want(inventory(names(5)));
    await runOn(model, planAdd(model.view(), { members: ['etcd-5'], stallMs }), {
      fault: (step) => (step.kind === 'unit.start' ? 'kill' : undefined),
    });
    expect(refusal(() => planAdd(model.view(), { members: ['etcd-4'], stallMs }))).toMatch(
      /etcd-5 is on its way.*one at a time.*quorate member add etcd-5/s,
    );
  });

  it('needs a host that is reached', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    model.unplug('etcd-4');
    expect(refusal(() => planAdd(model.view(), { members: [], stallMs }))).toContain('unreachable: etcd-4');
  });

  it.each([
    ['member add', (view: View): Plan => planAdd(view, { members: [], stallMs })],
    ['apply', (view: View): Plan => planApply(view, everything)],
    ['apply --only members', (view: View): Plan => planApply(view, { ...everything, only: ['members'] as const })],
  ])('and was not written down by the others before a kill is written down by %s', async (_, planner) => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    const begun = await runOn(model, planAdd(model.view(), { members: [], stallMs }), {
      fault: (step) => (step.id.startsWith('files/') ? 'kill' : undefined),
    });
    expect(begun.error).toBeInstanceOf(Killed);
    const plan = planner(model.view());
    const steps = plan.stages.flatMap((each) => each.steps.map(({ kind, host }) => `${kind} ${host}`));
    expect(steps).toEqual(['file.put etcd-1', 'file.put etcd-2', 'file.put etcd-3']);
    expect((await runOn(model, plan)).error).toBeUndefined();
    expect(isEmpty(planner(model.view()))).toBe(true);
  });

  it('is nothing where all are members, and said so', async () => {
    const plan = planAdd((await formed(3)).view(), { members: [], stallMs });
    expect([isEmpty(plan), plan.reasons.length]).toEqual([true, 3]);
  });

  it('warns about an even number of voters, and about one', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    expect(planAdd(model.view(), { members: [], stallMs }).warnings.join()).toContain('will have 4 voters');
    expect(planRemove((await formed(2)).view(), { members: ['etcd-2'] }).warnings.join()).toContain('one voter');
  });

  it('is promoted alone where it is a learner', async () => {
    const model = await formed(3);
    expect(refusal(() => planPromote(model.view(), { members: ['etcd-9'], stallMs }))).toContain('usage');
    model.want(inventory(names(4)));
    expect(refusal(() => planPromote(model.view(), { members: ['etcd-4'], stallMs }))).toContain('is no member');
    expect(isEmpty(planPromote(model.view(), { members: [], stallMs }))).toBe(true);
  });
});

describe('a replacement', () => {
  it('adds first where the old one serves well, and removes first where it does not', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    const order = (view: View): boolean => {
      const all = ids(replace(view, 'etcd-2', 'etcd-4'));
      return all.indexOf('add-etcd-4') < all.indexOf('remove-etcd-2');
    };
    expect(order(model.view())).toBe(true);
    const corrupt = [{ memberId: model.view().identity?.memberIds['etcd-2'] ?? '', kind: 'CORRUPT' as const }];
    expect(order(answering(model.view(), (each) => ({ ...each, alarms: corrupt })))).toBe(false);
    stop(model, 'etcd-2');
    expect(order(model.view())).toBe(false);
  });

  it('takes the alarm of a member back that it removed', async () => {
    const model = await formed(3);
    const corrupt = [{ memberId: model.view().identity?.memberIds['etcd-2'] ?? '', kind: 'CORRUPT' as const }];
    const plan = replace(
      answering(model.view(), (each) => ({ ...each, alarms: corrupt })),
      'etcd-2',
    );
    expect(plan.stages.flatMap((each) => each.steps).map((step) => step.kind)).toContain('alarm.disarm');
  });

  it('is refused with a controller that has a vote already, and where the others are no majority', async () => {
    const model = await formed(3);
    expect(refusal(() => replace(model.view(), 'etcd-2', 'etcd-3'))).toMatch(
      /is a member already.*member remove etcd-2/s,
    );
    stop(model, 'etcd-3');
    expect(refusal(() => replace(model.view(), 'etcd-2'))).toMatch(/would leave 1 of 2 voters/);
    const single = await formed(1);
    expect(refusal(() => replace(single.view(), 'etcd-1'))).toContain('nobody to copy from');
  });

  it('is refused beside another dead one where etcd would add nobody, with the order that works', async () => {
    const model = await formed(5);
    stop(model, 'etcd-4');
    stop(model, 'etcd-5');
    const view = { ...model.view(), cluster: { ...model.cluster, version: '3.5.16' } };
    const old = answering(view, (each) => (each.failure === undefined ? { ...each, version: '3.5.16' } : each));
    expect(refusal(() => replace(old, 'etcd-4'))).toMatch(
      /while etcd-5 is down.*member remove etcd-5.*then replace etcd-4/s,
    );
  });

  it('that is open stands before any other and before additions, and is given up by removing the newcomer', async () => {
    const model = await formed(3);
    model.want(inventory(names(5)));
    const begun = await runOn(model, replace(model.view(), 'etcd-2', 'etcd-4'), {
      fault: (step) => (step.kind === 'unit.start' ? 'kill' : undefined),
    });
    expect(begun.error).toBeInstanceOf(Killed);
    const finish = /quorate member replace etcd-2 --with etcd-4 .* quorate member remove etcd-4/s;
    expect(refusal(() => replace(model.view(), 'etcd-3', 'etcd-5'))).toMatch(finish);
    expect(refusal(() => planAdd(model.view(), { members: ['etcd-5'], stallMs }))).toMatch(finish);
    const { error } = await runOn(model, planRemove(model.view(), { members: ['etcd-4'] }));
    expect([error, model.pki().goals, model.members.list().map((each) => each.name)]).toEqual([
      undefined,
      [],
      names(3),
    ]);
    model.want(inventory(names(3)));
    // Nobody comes: the others' files, which named it, have it no more.
    expect(ids(planAdd(model.view(), { members: [], stallMs }))).toEqual(['files']);
  });

  it('is given up too where its newcomer is in no inventory any more', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    await runOn(model, replace(model.view(), 'etcd-2', 'etcd-4'), {
      fault: (step) => (step.kind === 'member.add' ? 'kill' : undefined),
    });
    model.want(inventory(names(3)));
    expect(model.pki().goals).toHaveLength(1);
    const { error } = await runOn(model, planRemove(model.view(), { members: ['etcd-4'] }));
    expect([error, model.pki().goals]).toEqual([undefined, []]);
  });

  it('finds nothing to do once it is done, asked for by both names', async () => {
    const model = await formed(3);
    model.want(inventory(names(4)));
    expect((await runOn(model, replace(model.view(), 'etcd-2', 'etcd-4'))).error).toBeUndefined();
    const again = replace(model.view(), 'etcd-2', 'etcd-4');
    expect([isEmpty(again), again.reasons]).toEqual([
      true,
      [{ host: 'etcd-4', reason: 'is a member, and etcd-2 is none any more' }],
    ]);
  });
});

describe('leadership', () => {
  it('moves to a voter that serves, and not where it is', async () => {
    const model = await formed(3);
    const leader =
      Object.values(model.view().facts.endpoints).find((each) => each.leaderId === each.memberId)?.host ?? '';
    expect(isEmpty(planMoveLeader(model.view(), leader))).toBe(true);
    expect(ids(planMoveLeader(model.view(), undefined))).toEqual(['lead']);
    stop(model, 'etcd-3');
    expect(refusal(() => planMoveLeader(model.view(), 'etcd-3'))).toContain('does not serve');
    const learner = listing(model.view(), (list) =>
      list.map((each) => (each.name === 'etcd-2' ? { ...each, learner: true } : each)),
    );
    expect(refusal(() => planMoveLeader(learner, 'etcd-2'))).toContain('learners do not lead');
    expect(refusal(() => planMoveLeader(learner, undefined))).toContain('no other healthy voter');
  });
});

describe('apply', () => {
  const apply = (view: View, remove: readonly string[] = []): Plan => planApply(view, { ...everything, remove });
  const leaving = (members: readonly string[], gone: readonly string[]) => withDeparting(inventory(members), gone);

  it('removes nobody who is not named, and names the way', async () => {
    const model = await formed(3);
    model.want(leaving(names(3), ['etcd-3']));
    expect(refusal(() => apply(model.view()))).toMatch(
      /refused: etcd-3: to leave the cluster \(state: absent\), and removed only by name\nquorate apply --remove etcd-3/,
    );
    expect(ids(apply(model.view(), ['etcd-3']))).toContain('go-remove-etcd-3');
  });

  it('removes nobody whom the inventory wants', async () => {
    const model = await formed(3);
    expect(refusal(() => apply(model.view(), ['etcd-3']))).toMatch(/usage: --remove etcd-3.*state: absent/s);
  });

  it('lets who is down and is to leave go first, and those who serve last', async () => {
    const model = await formed(3);
    model.want(leaving(names(4), ['etcd-3']));
    const order = (plan: Plan): readonly string[] => ids(plan).filter((each) => /remove-|add-/.test(each));
    expect(order(apply(model.view(), ['etcd-3']))).toEqual(['come-add-etcd-4', 'go-remove-etcd-3']);
    stop(model, 'etcd-3');
    expect(order(apply(model.view(), ['etcd-3']))).toEqual(['gone-remove-etcd-3', 'come-add-etcd-4']);
  });

  it('is no way to form a cluster without some of its controllers', () => {
    const model = createModel({ ...inventory(names(3)), absent: ['etcd-3'] });
    expect(refusal(() => planBootstrap(model.view()))).toMatch(
      /etcd-3: to leave a cluster .* that has not been formed/,
    );
  });

  it('finds nothing where who was to leave has gone', async () => {
    const model = await formed(3);
    model.want(leaving(names(3), ['etcd-3']));
    expect((await runOn(model, apply(model.view(), ['etcd-3']))).error).toBeUndefined();
    expect(isEmpty(apply(model.view()))).toBe(true);
  });
});
