/** Changes of the list that etcd refuses for a moment, or on one member alone. */
import { expect, it } from 'vitest';
import type { Plan } from '../../../src/domain/plan.ts';
import { EtcdError } from '../../../src/etcd/etcd-error.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { planRemove } from '../../../src/plan/member-remove.ts';
import type { View } from '../../../src/plan/view.ts';
import { type RunResult, runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const hosts = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address, index) =>
  controller(`etcd-${index + 1}`, address),
);

type Asked = RunResult & { readonly asked: string[] };

/** Adds a fourth member to three, of which some refuse with these words. */
function added(refusing: readonly string[], reason: string): Promise<Asked> {
  const add = (view: View): Plan => planAdd(view, { members: [], stallMs: 60_000 });
  return changed(add, refusing, { reason, hosts });
}

interface Refusal {
  readonly reason: string;
  /** The inventory's controllers by then. */
  readonly hosts: typeof hosts;
}

async function changed(planner: (view: View) => Plan, refusing: readonly string[], refusal: Refusal): Promise<Asked> {
  const { reason } = refusal;
  const model = createModel(clusterOf('3.6.16', { controllers: hosts.slice(0, 3) }));
  const formed = await runOn(model, planBootstrap(model.view()));
  expect(formed.error).toBeUndefined();
  model.want(clusterOf('3.6.16', { controllers: refusal.hosts }));
  const asked: string[] = [];
  const answer = (via: string): void => {
    asked.push(via);
    if (refusing.includes(via)) throw new EtcdError('etcd', `${via}: etcd refused: ${reason}`, { reason });
  };
  return { ...(await runOn(model, planner(model.view()), { changing: answer })), asked };
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

it('asks the leader alone whether a member may go: another one might count the one that goes for dead', async () => {
  const remove = (view: View): Plan => planRemove(view, { members: ['etcd-3'] });
  const { error, asked, done } = await changed(remove, ['etcd-1'], { reason: unhealthy, hosts: hosts.slice(0, 3) });
  expect(error).toMatchObject({ code: 'refused', message: expect.stringContaining(unhealthy) });
  expect(asked.length).toBeGreaterThan(3);
  expect(new Set(asked)).toEqual(new Set(['etcd-1']));
  expect(done.filter((each) => each.includes('member.remove'))).toEqual([]);
});
