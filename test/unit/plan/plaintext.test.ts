/** A cluster that was made without TLS: what is planned for it at each point of the way, what is told, and what is refused. */
import { expect, it } from 'vitest';
import { guard } from '../../../src/apply/guard.ts';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { plaintextPorts } from '../../../src/domain/plaintext.ts';
import { stage } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { planRotate } from '../../../src/plan/rotate.ts';
import type { View } from '../../../src/plan/view.ts';
import { listenUrls } from '../../../src/render/listen-urls.ts';
import { planWhole, refusalOf } from '../../fakes/apply.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const names = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
const controllers = names.map((name, index) => controller(name, `10.0.0.${index + 1}`));

async function adopted(changes: Partial<Cluster> = {}, version = '3.6.16'): Promise<Model> {
  const model = createModel(clusterOf(version, { controllers }));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  model.madeInPlaintext();
  model.want(clusterOf(version, { controllers, plaintextClients: true, ...changes }));
  return model;
}

async function brought(model: Model): Promise<Model> {
  const { error } = await runOn(model, planWhole(model.view()));
  if (error !== undefined) throw error;
  return model;
}

it('gets certificates and TLS beside plaintext on every member, and only then TLS among peers', async () => {
  const view = (await adopted()).view();
  const plan = planWhole(view);
  const rolls = plan.stages.filter((each) => each.mode === 'rolling');
  expect(rolls.map((each) => each.id)).toEqual(['offer-roll', 'peers-roll']);
  const urls = rolls.map(({ steps }) =>
    steps.flatMap((each) => (each.kind === 'file.put' ? (/^listen-.*-urls: .*$/gm.exec(each.content)?.[0] ?? []) : [])),
  );
  expect(urls[0]).toEqual(names.map((_, index) => `listen-peer-urls: "http://10.0.0.${index + 1}:2380"`));
  expect(urls[1]).toEqual(names.map((_, index) => `listen-peer-urls: "https://10.0.0.${index + 1}:2380"`));
  const [offer = [], peers = []] = rolls.map(({ steps }) =>
    steps.filter(({ host }) => host === 'etcd-2').map((each) => each.kind),
  );
  expect(offer).not.toContain('member.update');
  expect(offer.filter((each) => each === 'unit.restart')).toHaveLength(1);
  expect(peers).toEqual(['member.update', 'file.put', 'unit.restart']);
  expect(plan.warnings.join('\n')).toMatch(/peers of etcd-1, etcd-2, etcd-3 speak plaintext[\s\S]*may speak plaintext/);
});

it('serves both kinds of clients on one port', () => {
  const [first] = controllers;
  if (first === undefined) throw new Error('no controller');
  expect(listenUrls(first, true).client).toBe(
    'http://10.0.0.1:2379,https://10.0.0.1:2379,http://127.0.0.1:2379,https://127.0.0.1:2379',
  );
});

it('has nothing left to do behind that, and tells what is open', async () => {
  const view = (await brought(await adopted())).view();
  const plan = planWhole(view);
  expect(plan.stages).toEqual([]);
  expect(plaintextPorts(view.cluster, view.facts)).toEqual({ clients: names, peers: [] });
  expect(plan.warnings).toContainEqual(
    expect.stringContaining('clients of etcd-1, etcd-2, etcd-3 may speak plaintext'),
  );
});

it('ends plaintext once the inventory says so, tells whom that ends, and opens it no more', async () => {
  const model = await brought(await adopted());
  model.want(clusterOf('3.6.16', { controllers }));
  const plan = planWhole(model.view());
  expect(plan.stages.map((each) => each.id)).toEqual(['roll']);
  expect(plan.warnings).toContainEqual(expect.stringMatching(/speak plaintext are refused by each of etcd-1, etcd-2/));
  await brought(model);
  expect(plaintextPorts(model.view().cluster, model.view().facts)).toEqual({ clients: [], peers: [] });
  model.want(clusterOf('3.6.16', { controllers, plaintextClients: true }));
  expect(refusalOf(() => planWhole(model.view()))).toMatch(/^refused: etcd-1: .*would open plaintext again — take/);
});

it.each<[string, (view: View) => unknown, RegExp]>([
  ['--only', (view) => planWhole(view, { only: ['config'] }), /a half of it|by all members/],
  ['--member', (view) => planWhole(view, { members: ['etcd-1'] }), /by all members/],
  [
    'certs rotate',
    (view) => planRotate(view, { members: [], purposes: ['server'], keys: 'make', due: false }),
    /has to move first/,
  ],
  ['member add', (view) => planAdd(view, { members: [], stallMs: 60_000 }), /etcd-1: has no certificates yet/],
])('is refused to %s before it has come to TLS', async (_what, act, said) => {
  const { message } = { message: refusalOf(() => act(view)) };
  expect(message).toMatch(/^refused/);
  expect(message).toMatch(said);
});

const view = (await adopted()).view();

it('is not moved to other addresses on the way', async () => {
  const away = controllers.map((each) => (each.name === 'etcd-2' ? controller('etcd-2', '10.0.9.2') : each));
  const model = await adopted({ controllers: away });
  expect(refusalOf(() => planWhole(model.view()))).toMatch(
    /etcd-2: is dialled at http:.*another address too — put its address/,
  );
});

it('is refused on 3.4, which does not serve both on one port', async () => {
  const model = await adopted({}, '3.4.45');
  expect(refusalOf(() => planWhole(model.view()))).toMatch(
    /etcd 3\.4 does not serve TLS and plaintext .* bring the members to 3\.5/,
  );
});

it('is nothing that a new cluster can be', () => {
  const model = createModel(clusterOf('3.6.16', { controllers, plaintextClients: true }));
  expect(refusalOf(() => planBootstrap(model.view()))).toContain('a new cluster has no client that speaks plaintext');
});

it('has no member dialled with TLS before all others were started with certificates', async () => {
  const update = (seen: View) => {
    const entry = seen.facts.endpoints['etcd-2']?.members.find(({ name }) => name === 'etcd-2');
    const draft = {
      kind: 'member.update',
      host: 'etcd-2',
      memberId: entry?.id ?? '',
      peerUrls: ['https://10.0.0.2:2380'],
    } as const;
    const { steps } = stage('peers-roll', '', 'rolling', [{ ...draft, why: '' }]);
    return refusalOf(() => guard(steps, { view: seen, mode: 'rolling', permits: {} }));
  };
  expect(update(view)).toMatch(/etcd-2: would be dialled with TLS, and etcd-1 was not started with certificates/);
  const model = await adopted();
  const killed = await runOn(model, planWhole(model.view()), {
    fault: (step) => (step.kind === 'member.update' ? 'kill' : undefined),
  });
  expect(killed.error).toBeDefined();
  expect(update(model.view())).toBe('not refused');
  const one = model.view();
  const third = one.facts.hosts['etcd-3'];
  if (third === undefined) throw new Error('no host');
  const foreign = {
    ...one,
    facts: { ...one.facts, hosts: { ...one.facts.hosts, 'etcd-3': { ...third, run: undefined } } },
  };
  expect(update(foreign)).toMatch(/and etcd-3 was not started with certificates/);
});

it('begins again with the member whose move the list knows already', async () => {
  const model = await adopted();
  await runOn(model, planWhole(model.view()), {
    fault: (step) => (step.kind === 'member.update' ? 'kill' : undefined),
  });
  model.members.update(model.members.idOf('etcd-3') ?? '', ['https://10.0.0.3:2380']);
  const again = planWhole(model.view());
  expect(again.stages.map((each) => each.id)).not.toContain('offer-roll');
  const { done, error } = await runOn(model, again);
  expect(error).toBeUndefined();
  const restarts = done.filter((id) => id.endsWith('unit.restart'));
  expect(restarts[0]).toContain('/etcd-3/');
});
