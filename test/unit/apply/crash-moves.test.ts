/** Members get other addresses and names while quorate is killed before every step, twice: IDs stay, quorum is never lost, and nobody restarts without need. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { Controller } from '../../../src/domain/controller.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import { pkiLink } from '../../../src/domain/layout.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { majority } from '../../../src/domain/quorum.ts';
import { planApply } from '../../../src/plan/apply.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import type { View } from '../../../src/plan/view.ts';
import { Killed, type RunOptions, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const apply = (view: View): Plan =>
  planApply(view, {
    ...{ only: [], members: [], remove: [], stallMs: 60_000 },
    downtime: { allowed: true, required: true },
  });

/** What becomes of the inventory's hosts: by number, from 1. */
type Change = (number: number) => Partial<{ name: string; address: string; peerPort: number }>;

function inventory(count: number, change: Change): Cluster {
  const controllers = Array.from({ length: count }, (_, index): Controller => {
    const number = index + 1;
    const { name = `etcd-${number}`, address = `10.0.0.${number}`, peerPort = 2380 } = change(number);
    return controller(name, address, { peerPort, peerUrl: `https://${address}:${peerPort}` });
  });
  return clusterOf('3.6.16', { controllers: controllers.toSorted((a, b) => (a.name < b.name ? -1 : 1)) });
}

async function changed(count: number, change: Change, down: readonly string[] = []): Promise<Model> {
  const model = createModel(inventory(count, () => ({})));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  for (let number = 1; number <= count; number += 1) {
    const { name } = change(number);
    if (name !== undefined) model.rename(`etcd-${number}`, name);
  }
  model.want(inventory(count, change));
  for (const name of down)
    model.edit(name, (host) => ({ ...host, unit: { ...host.unit, activeState: 'failed', invocationId: '1' } }));
  return model;
}

const last = (number: number, count: number): boolean => number === Math.min(2, count);

const cases: Readonly<Record<string, (count: number) => Change>> = {
  'one at another address': (count) => (number) => (last(number, count) ? { address: '10.0.1.9' } : {}),
  'one at another peer port': (count) => (number) => (last(number, count) ? { peerPort: 12_380 } : {}),
  'all at other addresses': () => (number) => ({ address: `10.0.1.${number}` }),
  'one under another name': (count) => (number) => (last(number, count) ? { name: 'node-b' } : {}),
  'one under another name at another address': (count) => (number) =>
    last(number, count) ? { name: 'node-b', address: '10.0.1.9' } : {},
};

function serving(model: Model): number {
  return Object.values(model.view().facts.endpoints).filter((each) => each.failure === undefined).length;
}

/** Killed before the step of this ID; the quorum is counted at each step. */
async function run(model: Model, plan: Plan, before: string | undefined): Promise<unknown> {
  const options: RunOptions = {
    permits: plan.permits,
    fault: (step) => {
      expect(serving(model), step.id).toBeGreaterThanOrEqual(majority(model.cluster.controllers.length));
      return step.id === before ? 'kill' : undefined;
    },
  };
  return (await runOn(model, plan, options)).error;
}

function idsOf(model: Model): readonly string[] {
  return model.members
    .list()
    .map((each) => each.id)
    .toSorted();
}

/** The list is what the inventory wants, by the same IDs, and only who had to was restarted, once. */
function expectEnd(model: Model, ids: readonly string[], said: string): void {
  const list = model.members.list().map((each) => `${each.name} ${each.peerUrls.join()}`);
  const wanted = model.cluster.controllers.map((each) => `${each.name} ${each.peerUrl}`);
  expect(list.toSorted(), said).toEqual(wanted.toSorted());
  expect(idsOf(model), said).toEqual(ids);
  expect(isEmpty(apply(model.view())), said).toBe(true);
  expect(serving(model), said).toBe(model.cluster.controllers.length);
}

/** With five, the one that has a turn for each. */
const chosen = (count: number) => Object.entries(cases).filter(([name]) => count < 5 || name.startsWith('all'));

describe.each([1, 3, 5])('%i members', (count) => {
  it.each(chosen(count))(
    '%s: killed before any step, and again, ends where an undisturbed run does',
    { timeout: 600_000 },
    async (_name, caseOf) => {
      const change = caseOf(count);
      const first = await changed(count, change);
      const restarts = restarted(apply(first.view()));
      expect(restarts).toEqual(namesOf(count, change));
      const steps = apply(first.view()).stages.flatMap((each) => each.steps.map((step) => step.id));
      // With five, members two to four are alike.
      for (const [index, id] of steps.filter((each) => count < 5 || !/\/etcd-[34]\//.test(each)).entries()) {
        const model = index === 0 ? first : await changed(count, change);
        const ids = idsOf(model);
        expect(await run(model, apply(model.view()), id), id).toBeInstanceOf(Killed);
        const again = apply(model.view());
        const later = again.stages.flatMap((stage) => stage.steps.map((step) => step.id));
        const next = later[(index * 7) % Math.max(1, later.length)];
        const error = await run(model, again, next);
        if (error !== undefined && !(error instanceof Killed)) throw error;
        expect(await run(model, apply(model.view()), undefined), `${id}, ${next}`).toBeUndefined();
        expectEnd(model, ids, `${id}, ${next}`);
        for (const { name } of model.cluster.controllers) {
          const ended = restarts.includes(name) ? '2' : '1';
          expect(model.host(name).unit.invocationId, `${id}, ${next}: ${name}`).toBe(ended);
        }
      }
    },
  );
});

/** Names of those that the change is about. */
function namesOf(count: number, change: Change): readonly string[] {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return numbers
    .filter((number) => Object.keys(change(number)).length > 0)
    .map((number) => change(number).name ?? `etcd-${number}`)
    .toSorted();
}

function restarted(plan: Plan): readonly string[] {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  return steps.filter((step) => step.kind === 'unit.restart').map((step) => step.host);
}

describe('a move', () => {
  const change: Change = (number) => (number === 2 ? { address: '10.0.1.9' } : {});
  const update = 'roll/etcd-2/member.update';

  it('tells the list before the member restarts, in its own turn, with the certificates behind it', async () => {
    const model = await changed(3, change);
    const roll = apply(model.view()).stages.find((each) => each.mode === 'rolling');
    expect(roll?.steps.filter(({ host }) => host === 'etcd-2').map((step) => step.kind)).toEqual([
      'member.update',
      'pki.switch',
      'file.put',
      'unit.restart',
    ]);
    // What the others have been told lies in their files, and costs them no restart.
    expect(new Set(roll?.steps.filter(({ host }) => host !== 'etcd-2').map((step) => step.kind))).toEqual(
      new Set(['file.put']),
    );
  });

  it('of a member that is down since its host has another address brings it back', async () => {
    const model = await changed(3, change, ['etcd-2']);
    const ids = idsOf(model);
    expect(await run(model, apply(model.view()), undefined)).toBeUndefined();
    expectEnd(model, ids, 'down');
  });

  it('whose turn fails is taken back, in the list too, and the member serves again', async () => {
    const model = await changed(3, change);
    const isNew = (): boolean => {
      const link = model.host('etcd-2').files[pkiLink(model.cluster)];
      return link?.kind === 'link' && link.target === 'pki.d/2';
    };
    const prove = (): string | undefined => (isNew() ? 'serves another certificate' : undefined);
    const { error } = await runOn(model, apply(model.view()), { prove });
    expect(error).toMatchObject({ message: expect.stringMatching(/taken back .*10\.0\.0\.2:2380.*it serves again/) });
    const entry = model.members.list().find((each) => each.name === 'etcd-2');
    expect(entry?.peerUrls).toEqual(['https://10.0.0.2:2380']);
    expect(serving(model)).toBe(3);
  });

  it('goes on where only the list was told', async () => {
    const model = await changed(3, change);
    expect(await run(model, apply(model.view()), 'roll/etcd-2/pki.switch')).toBeInstanceOf(Killed);
    const again = apply(model.view());
    expect(again.stages.flatMap((stage) => stage.steps.map((step) => step.id))).not.toContain(update);
    expect(await run(model, again, undefined)).toBeUndefined();
  });

  it('to another name has come to its end only where the list tells the name', async () => {
    const model = await changed(3, (number) => (number === 2 ? { name: 'node-b' } : {}));
    const silent = (facts: Facts): Facts => ({
      ...facts,
      endpoints: Object.fromEntries(
        Object.entries(facts.endpoints).map(([name, each]) => [
          name,
          { ...each, members: each.members.map((one) => (one.name === 'node-b' ? { ...one, name: 'etcd-2' } : one)) },
        ]),
      ),
    });
    const { error } = await runOn(model, apply(model.view()), { seen: silent });
    expect(error).toMatchObject({ message: expect.stringContaining('the member list still calls it etcd-2') });
  });
});
