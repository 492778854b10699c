import { expect, it } from 'vitest';
import type { Facts } from '../../../src/domain/facts.ts';
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

it.each([
  ['for a moment', 3, undefined],
  ['for good', 1_000, /^0 of 2 voters serve, so .*: etcd-1: a linearizable read does not return; etcd-2: /],
])('whoever stays and does not serve %s is waited for, and named at last', async (_name, looks, complaint) => {
  const model = createModel(clusterOf('3.6.16'));
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  let left = looks;
  const mute = (facts: Facts): Facts => {
    const gone = !model.host('etcd-3').data.wal;
    if (!gone || left === 0) return facts;
    left -= 1;
    const silent = Object.entries(facts.endpoints).map(([name, each]) => [name, { ...each, linearizable: false }]);
    return { ...facts, endpoints: Object.fromEntries(silent) };
  };
  const { error } = await runOn(model, planRemove(model.view(), { members: ['etcd-3'] }), { seen: mute });
  if (complaint === undefined) expect([error, left]).toEqual([undefined, 0]);
  else expect(error).toMatchObject({ code: 'step-failed', message: expect.stringMatching(complaint) });
});
