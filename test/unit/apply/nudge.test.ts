import { expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import { type Plan, stage } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { type RunOptions, type RunResult, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const STALL_MS = 60_000;
const hosts = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address, index) =>
  controller(`etcd-${index + 1}`, address),
);
const three = clusterOf('3.6.16', { controllers: hosts.slice(0, 3) });

async function formed(): Promise<Model> {
  const model = createModel(three);
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

/** Nobody gets an answer from this member, once it runs, before an entry was committed. */
function silent(name: string, since: () => boolean): RunOptions & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  const seen = (facts: Facts): Facts => {
    const own = facts.endpoints[name];
    if (asked.length > 0 || own === undefined || !since()) return facts;
    const members = own.members.map((each) => (each.name === name ? { ...each, name: '' } : each));
    const endpoints = Object.entries(facts.endpoints).map(([host, each]) => [host, { ...each, members }]);
    const failure = `${name}: etcd does not answer: no TLS connection within 5 s`;
    return { ...facts, endpoints: { ...Object.fromEntries(endpoints), [name]: { ...own, failure } } };
  };
  return { asked, seen, committed: (via) => asked.push(via) };
}

async function restarted(options: (model: Model) => RunOptions): Promise<RunResult> {
  const model = await formed();
  model.edit('etcd-2', (host) => ({ ...host, unit: { ...host.unit, invocationId: '1' } }));
  const restart = {
    kind: 'unit.restart',
    host: 'etcd-2',
    unit: three.unit,
    wish: {},
    ends: '1',
    outage: false,
  } as const;
  const stages = [stage('roll', 'restart', 'rolling', [{ ...restart, why: 'test' }])];
  const plan: Plan = { verb: 'test', cluster: three.name, inventoryHash: '', stages, warnings: [], reasons: [] };
  return runOn(model, plan, options(model));
}

it('lets the leader commit an entry where a newcomer does not answer, once and not at every look', async () => {
  const model = await formed();
  model.want(clusterOf('3.6.16', { controllers: hosts }));
  const options = silent('etcd-4', () => model.host('etcd-4').unit.activeState === 'active');
  const { error } = await runOn(model, planAdd(model.view(), { members: [], stallMs: STALL_MS }), options);
  expect(error).toBeUndefined();
  expect(options.asked).toEqual(['etcd-1']);
});

it('lets it commit one where a member does not answer behind its restart', async () => {
  let options: ReturnType<typeof silent> | undefined;
  const { error } = await restarted((model) => {
    options = silent('etcd-2', () => model.host('etcd-2').unit.invocationId !== '1');
    return options;
  });
  expect(error).toBeUndefined();
  expect(options?.asked).toEqual(['etcd-1']);
});

it('asks for none where members answer', async () => {
  const asked: string[] = [];
  const { error } = await restarted(() => ({ committed: (via) => asked.push(via) }));
  expect([error, asked]).toEqual([undefined, []]);
});

it('goes on waiting where etcd refuses, and says so once', async () => {
  const refusal = new QuorateError('step-failed', 'etcd-1: etcd refused: etcdserver: request timed out');
  let asked = 0;
  const { events, error } = await restarted(() => ({
    ...silent('etcd-2', () => asked < 3),
    committed: () => {
      asked += 1;
      throw refusal;
    },
  }));
  expect([error, asked]).toEqual([undefined, 3]);
  expect(events.filter((each) => each.type === 'note' && each.text === refusal.message)).toHaveLength(1);
});
