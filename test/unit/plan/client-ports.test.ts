/** Clients are to find members at another port: at both for a while, and nobody is taken for dead meanwhile. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { Controller } from '../../../src/domain/controller.ts';
import { isEmpty } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planRemove } from '../../../src/plan/member-remove.ts';
import { planRestart } from '../../../src/plan/restart.ts';
import { planRotate } from '../../../src/plan/rotate.ts';
import { planStart } from '../../../src/plan/start.ts';
import { planWhole, refusalOf } from '../../fakes/apply.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const other = 12379;

/** Three, whose client ports are these. */
function inventory({ client = 2379, former }: { readonly client?: number; readonly former?: number }): Cluster {
  const ports = (address: string): Partial<Controller> => ({
    ...{ clientPort: client, clientUrl: `https://${address}:${client}` },
    ...(former === undefined ? {} : { formerClientPort: former }),
  });
  const hosts = [1, 2, 3].map((number) => controller(`etcd-${number}`, `10.0.0.${number}`, ports(`10.0.0.${number}`)));
  return clusterOf('3.6.16', { controllers: hosts });
}

async function formed(): Promise<Model> {
  const model = createModel(inventory({}));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

describe('another client port', () => {
  it('at once is refused by every verb that counts members, with the way in two steps', async () => {
    const model = await formed();
    model.want(inventory({ client: other }));
    const view = model.view();
    const rotate = { members: [], purposes: ['server', 'peer'], due: false, keys: 'make' } as const;
    const acts = [
      () => planWhole(view),
      () => planWhole(view, { members: ['etcd-1'], only: ['config'] }),
      () => planRemove(view, { members: ['etcd-3'] }),
      () => planRotate(view, rotate),
      () => planRestart(view, { members: [], downtime: { allowed: true, required: true } }),
      () => planStart(view, { members: [] }),
    ];
    for (const act of acts) {
      const said = refusalOf(act);
      expect(said).toContain('refused: etcd-2: serves clients on port 2379, and the inventory wants 12379 at once');
      expect(said).toContain('ports: {client: 12379, formerClient: 2379}');
    }
  });

  it('beside the former one rolls, then the former one goes: one restart each, and clients are told', async () => {
    const model = await formed();
    model.want(inventory({ client: other, former: 2379 }));
    const first = planWhole(model.view());
    expect(first.warnings.join('\n')).toMatch(/etcd-1: serves clients on port 12379 too from its turn on/);
    expect(first.warnings.join('\n')).not.toContain('are refused');
    expect((await runOn(model, first)).error).toBeUndefined();
    expect(isEmpty(planWhole(model.view()))).toBe(true);
    model.want(inventory({ client: other }));
    const second = planWhole(model.view());
    expect(second.warnings.join('\n')).toContain(
      'etcd-3: from its turn on clients that dial its port 2379 are refused; they find it at https://10.0.0.3:12379',
    );
    for (const plan of [first, second])
      expect(plan.stages.flatMap((each) => each.steps).filter((step) => step.kind === 'unit.restart')).toHaveLength(3);
    expect((await runOn(model, second)).error).toBeUndefined();
    expect(isEmpty(planWhole(model.view()))).toBe(true);
  });

  it('does not lose the former one before every member has both', async () => {
    const model = await formed();
    model.want(inventory({ client: other, former: 2379 }));
    expect((await runOn(model, planWhole(model.view(), { members: ['etcd-1', 'etcd-2'] }))).error).toBeUndefined();
    model.want(inventory({ client: other }));
    const said = refusalOf(() => planWhole(model.view()));
    expect(said).toContain('etcd-3: serves clients on port 2379, and');
    expect(said).not.toContain('etcd-1: serves');
  });

  it('is given up by taking it back', async () => {
    const model = await formed();
    model.want(inventory({ client: other, former: 2379 }));
    expect((await runOn(model, planWhole(model.view()))).error).toBeUndefined();
    model.want(inventory({}));
    expect((await runOn(model, planWhole(model.view()))).error).toBeUndefined();
    expect(isEmpty(planWhole(model.view()))).toBe(true);
  });
});
