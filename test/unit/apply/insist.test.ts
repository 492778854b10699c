/** Changes of the list that etcd refuses for a moment, or on one member alone. */
import { expect, it } from 'vitest';
import { EtcdError } from '../../../src/etcd/etcd-error.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { type RunResult, runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const hosts = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address, index) =>
  controller(`etcd-${index + 1}`, address),
);

/** Adds a fourth member to three, of which some refuse with these words. */
async function added(refusing: readonly string[], reason: string): Promise<RunResult & { readonly asked: string[] }> {
  const model = createModel(clusterOf('3.6.16', { controllers: hosts.slice(0, 3) }));
  const formed = await runOn(model, planBootstrap(model.view()));
  expect(formed.error).toBeUndefined();
  model.want(clusterOf('3.6.16', { controllers: hosts }));
  const asked: string[] = [];
  const adding = (via: string): void => {
    asked.push(via);
    if (refusing.includes(via)) throw new EtcdError('etcd', `${via}: etcd refused: ${reason}`, { reason });
  };
  const plan = planAdd(model.view(), { members: [], stallMs: 60_000 });
  return { ...(await runOn(model, plan, { adding })), asked };
}

const unhealthy = 'etcdserver: unhealthy cluster';

it('asks the leader, and the next one once that has called the cluster unhealthy', async () => {
  expect(await added([], unhealthy)).toMatchObject({ error: undefined, asked: ['etcd-1'] });
  expect(await added(['etcd-1'], unhealthy)).toMatchObject({ error: undefined, asked: ['etcd-1', 'etcd-2'] });
  expect(await added(['etcd-1', 'etcd-2'], unhealthy)).toMatchObject({
    error: undefined,
    asked: ['etcd-1', 'etcd-2', 'etcd-3'],
  });
});

it('goes on with the leader where it refuses for another reason', async () => {
  const { asked } = await added(['etcd-1'], 'etcdserver: no leader');
  expect(new Set(asked)).toEqual(new Set(['etcd-1']));
});

it('says what it means where every one refuses, and that nothing but time has passed', async () => {
  const { error, asked, done } = await added(['etcd-1', 'etcd-2', 'etcd-3'], unhealthy);
  expect(error).toMatchObject({
    code: 'refused',
    message: expect.stringContaining(`etcd refuses for 30 s: ${unhealthy}`),
    hint: expect.stringContaining('quorate restart -i FILE'),
  });
  expect(asked.slice(0, 4)).toEqual(['etcd-1', 'etcd-2', 'etcd-3', 'etcd-1']);
  expect(done.filter((each) => each.includes('member.add'))).toEqual([]);
});
