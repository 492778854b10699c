import { expect, it } from 'vitest';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

it('notes anew where the cluster is to be another than was noted, since one more host’s address was mended before any start', async () => {
  const model = createModel(clusterOf('3.6.16'));
  const plan = planBootstrap(model.view());
  const noted = plan.stages.filter((each) => !['start', 'prove', 'mark'].includes(each.id));
  expect((await runOn(model, { ...plan, stages: noted })).error).toBeUndefined();
  const view = model.view();
  const mended = { ...view.identity, clusterId: '0123456789abcdef' };
  const { uuid = '', token = '', memberIds = {}, clusterId } = mended;
  const again = planBootstrap({ ...view, identity: { uuid, token, formedAt: undefined, memberIds, clusterId } });
  const attempts = again.stages.flatMap((each) => each.steps).filter((step) => step.kind === 'record.attempt');
  expect(attempts.map((each) => each.host)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
});
