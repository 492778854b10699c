/** A cluster without TLS is brought to it while quorate is killed before every step, twice: quorum is never lost, and plaintext clients are served until they are to be refused. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { isPlaintext } from '../../../src/domain/plaintext.ts';
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

function inventory(count: number, plaintextClients: boolean): Cluster {
  const controllers = Array.from({ length: count }, (_, index) =>
    controller(`etcd-${index + 1}`, `10.0.0.${index + 1}`),
  );
  return clusterOf('3.6.16', { controllers, ...(plaintextClients ? { plaintextClients } : {}) });
}

async function adopted(count: number): Promise<Model> {
  const model = createModel(inventory(count, false));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  model.madeInPlaintext();
  model.want(inventory(count, true));
  return model;
}

function serving(model: Model): number {
  return Object.values(model.view().facts.endpoints).filter((each) => each.failure === undefined && each.linearizable)
    .length;
}

async function run(model: Model, plan: Plan, before: string | undefined): Promise<unknown> {
  const options: RunOptions = {
    permits: plan.permits,
    fault: (step) => {
      expect(serving(model), step.id).toBeGreaterThanOrEqual(majority(model.cluster.controllers.length));
      if (model.cluster.plaintextClients) expectPlaintext(model, step.id);
      return step.id === before ? 'kill' : undefined;
    },
  };
  return (await runOn(model, plan, options)).error;
}

/** Clients that know nothing of TLS find every member as they did. */
function expectPlaintext(model: Model, said: string): void {
  for (const { clientUrls } of model.members.list()) expect(clientUrls.some(isPlaintext), said).toBe(true);
}

function expectEnd(model: Model, said: string, restarts: number): void {
  const { controllers, plaintextClients } = model.cluster;
  expect(
    model.members
      .list()
      .map((each) => each.peerUrls.join())
      .toSorted(),
    said,
  ).toEqual(controllers.map((each) => each.peerUrl));
  const wanted = controllers.map(({ clientUrl }) => [
    ...(plaintextClients ? [clientUrl.replace('https:', 'http:')] : []),
    clientUrl,
  ]);
  expect(
    model.members
      .list()
      .map((each) => each.clientUrls)
      .toSorted(),
    said,
  ).toEqual(wanted);
  expect(isEmpty(apply(model.view())), said).toBe(true);
  expect(serving(model), said).toBe(controllers.length);
  for (const { name } of controllers)
    expect(model.host(name).unit.invocationId, `${said}: ${name}`).toBe(`${1 + restarts}`);
}

const stepsOf = (plan: Plan): readonly string[] => plan.stages.flatMap((stage) => stage.steps.map((step) => step.id));

/** The operator's steps, and those of a member that is neither the first nor the last, one of a kind; with five, those that others notice. */
function isPoint(id: string, count: number): boolean {
  if (count === 5) return /roll\/etcd-2\/(member\.update|unit\.restart)$/.test(id);
  if (/(file\.put|directory\.ensure):/.test(id) && !id.endsWith('/etcd-config.yml')) return false;
  return id.includes('/operator/') || id.includes(`/etcd-${Math.min(2, count)}/`);
}

/** Killed before each step of what applying is to do, and before one of what is left then. */
async function crashed(make: () => Promise<Model>, count: number, restarts: number): Promise<void> {
  const first = await make();
  const steps = stepsOf(apply(first.view())).filter((each) => isPoint(each, count));
  for (const [index, id] of steps.entries()) {
    const model = index === 0 ? first : await make();
    expect(await run(model, apply(model.view()), id), id).toBeInstanceOf(Killed);
    const again = apply(model.view());
    const later = stepsOf(again);
    const next = later[(index * 7) % Math.max(1, later.length)];
    const error = await run(model, again, next);
    if (error !== undefined && !(error instanceof Killed)) throw error;
    const said = `${id}, ${next}`;
    expect(await run(model, apply(model.view()), undefined), said).toBeUndefined();
    expectEnd(model, said, restarts);
  }
}

describe.each([1, 3, 5])('%i members without TLS', (count) => {
  it('killed before any step, and again, come to TLS by two restarts each', { timeout: 600_000 }, async () => {
    await crashed(() => adopted(count), count, 2);
  });

  it('killed before any step, and again, refuse plaintext by one restart more', { timeout: 600_000 }, async () => {
    const open = async (): Promise<Model> => {
      const model = await adopted(count);
      expect(await run(model, apply(model.view()), undefined)).toBeUndefined();
      model.want(inventory(count, false));
      return model;
    };
    await crashed(open, count, 3);
  });
});
