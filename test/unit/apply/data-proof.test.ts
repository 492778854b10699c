import { expect, it } from 'vitest';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planRemove } from '../../../src/plan/member-remove.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

it.each([
  ['holds other data', { hash: 8 }, 'holds other data than the others at one revision'],
  [
    'has compacted differently',
    { compactRevision: 5 },
    "members' data cannot be compared: they have compacted differently",
  ],
  ['holds the same', {}, undefined],
])('whoever stays is proved to hold the same data: one that %s', async (_name, hashed, complaint) => {
  const model = createModel(clusterOf('3.6.16'));
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  const { error } = await runOn(model, planRemove(model.view(), { members: ['etcd-3'] }), {
    hashed: { 'etcd-2': hashed },
  });
  if (complaint === undefined) expect(error).toBeUndefined();
  else expect(error).toMatchObject({ code: 'step-failed', message: expect.stringContaining(complaint) });
});
