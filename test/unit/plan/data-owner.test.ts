/** A member that was made elsewhere may have run as root: its data changes hands in its own turn, between its stop and its start. */
import { expect, it } from 'vitest';
import { planApply } from '../../../src/plan/apply.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster } from '../render/cluster.ts';

const wish = { only: [], members: [], remove: [], stallMs: 60_000, downtime: { allowed: false, required: true } };

async function ownedByRoot(): Promise<Model> {
  const model = createModel(cluster('3.6.16'));
  await runOn(model, planBootstrap(model.view()));
  const member = { kind: 'directory', mode: '0700', owner: 'root', group: 'root' } as const;
  model.edit('etcd-2', (host) => ({
    ...host,
    files: { ...host.files, '/var/lib/etcd/member': member },
    run: undefined,
  }));
  return model;
}

it('gives data of another account to that of the inventory, just before the restart, and plans nothing afterwards', async () => {
  const model = await ownedByRoot();
  const plan = planApply(model.view(), wish);
  const steps = plan.stages.flatMap((each) => (each.mode === 'rolling' ? each.steps : []));
  expect(steps.map(({ host, kind, why }) => `${host} ${kind}: ${why}`)).toEqual([
    'etcd-2 data.own: it belongs to root',
    'etcd-2 unit.restart: nothing tells what it was started with',
  ]);
  const { error } = await runOn(model, plan);
  expect(error).toBeUndefined();
  expect(planApply(model.view(), wish).stages).toEqual([]);
});
