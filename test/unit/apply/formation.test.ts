/** A formed cluster is built anew only after it was given up by name, wherever a run was killed on the way. */
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planReset } from '../../../src/plan/reset.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const names = cluster.controllers.map((each) => each.name);
const resetOf = (model: Model): Plan => planReset(model.view(), { deleteData: true, lostStore: undefined });

async function formed(): Promise<Model> {
  const model = createModel(cluster);
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  return model;
}

async function killBefore(model: Model, plan: Plan, id: string): Promise<void> {
  const { error } = await runOn(model, plan, { fault: (step) => (step.id === id ? 'kill' : undefined) });
  expect(error).toBeInstanceOf(Killed);
}

function refusal(model: Model): string {
  try {
    return `planned: ${planBootstrap(model.view()).stages.map((each) => each.id)}`;
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'refused') return error.message;
    throw error;
  }
}

describe('a formed cluster', () => {
  it('is refused to hosts of which none carries anything of it, and built anew once it was given up', async () => {
    const model = await formed();
    for (const name of names) model.wipe(name, 'everything');
    expect(refusal(model)).toContain('its hosts carry nothing of it');
    const reset = resetOf(model);
    expect(reset.stages.map((each) => each.id)).toEqual(['forget']);
    expect((await runOn(model, reset)).error).toBeUndefined();
    expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
    expect(isEmpty(planBootstrap(model.view()))).toBe(true);
    expect(model.newStarts.filter((each) => each.formed)).toEqual([]);
  });

  it('is noted before its first mark', async () => {
    const model = createModel(cluster);
    const plan = planBootstrap(model.view());
    const { error } = await runOn(model, plan, { fault: (step) => (step.kind === 'marker.put' ? 'kill' : undefined) });
    expect(error).toBeInstanceOf(Killed);
    expect(names.map((name) => model.host(name).records.marker)).toEqual([undefined, undefined, undefined]);
    for (const name of names) model.wipe(name, 'everything');
    expect(refusal(model)).toContain('its hosts carry nothing of it');
  });

  it('is noted where it was formed and marked without a note', async () => {
    const model = await formed();
    const step = { kind: 'formation.forget', host: 'operator', why: '', id: 'x' } as const;
    model.applyToOperator(step);
    const plan = planBootstrap(model.view());
    expect(plan.stages.flatMap((each) => each.steps).map((each) => each.id)).toEqual(['note/operator/formation.note']);
    expect((await runOn(model, plan)).error).toBeUndefined();
    expect(isEmpty(planBootstrap(model.view()))).toBe(true);
  });
});

describe('reset killed before any single step', async () => {
  const steps = resetOf(await formed()).stages.flatMap((each) => each.steps.map((step) => step.id));

  it('forgets the cluster last', () => expect(steps.at(-1)).toBe('forget/operator/formation.forget'));

  it.each(steps)('%s: nothing is built until it was run to its end', async (id) => {
    const model = await formed();
    const before = model.newStarts.length;
    await killBefore(model, resetOf(model), id);
    expect(refusal(model)).not.toContain('planned: operator');
    expect((await runOn(model, resetOf(model))).error).toBeUndefined();
    expect(isEmpty(resetOf(model))).toBe(true);
    expect(model.newStarts).toHaveLength(before);
    expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
    expect(isEmpty(planBootstrap(model.view()))).toBe(true);
  });
});
