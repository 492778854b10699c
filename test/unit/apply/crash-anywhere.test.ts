/** Kills quorate anywhere, and does worse things to hosts meanwhile: whatever happens, no data is ever built over. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const names = cluster.controllers.map((each) => each.name);

/** The plan, or undefined where building is refused. */
function planOrRefusal(model: Model): Plan | undefined {
  try {
    return planBootstrap(model.view());
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'refused') return undefined;
    throw error;
  }
}

/** Runs until killed: each host before its n-th step, the operator before its n-th. */
async function runUntilKilled(model: Model, plan: Plan, before: Readonly<Record<string, number>>): Promise<void> {
  const left = new Map(Object.entries(before));
  const { error } = await runOn(model, plan, {
    fault: (step) => {
      const steps = left.get(step.host);
      if (steps === undefined) return undefined;
      left.set(step.host, steps - 1);
      return steps <= 0 ? 'kill' : undefined;
    },
  });
  if (error !== undefined && !(error instanceof Killed)) throw error;
}

/**
 * `runs`: how many starts there had been when each run began. Members that start together have data of the same moment: only what is older than the run
 * can be built over.
 */
function expectNothingBuiltOver(model: Model, runs: readonly number[] = []): void {
  for (const [index, start] of model.newStarts.entries()) {
    expect(start.formed, `${start.host} was started as new after the cluster had been formed`).toBe(false);
    const begun = runs.findLast((each) => each <= index) ?? index;
    const together = model.newStarts.slice(begun, index).map((each) => each.host);
    const older = start.withData.filter((each) => !together.includes(each));
    if (start.hadData) expect(older, `${start.host} was started as new again`).toEqual([]);
  }
}

/** Without accidents no member is started as new twice (one may never be: it joins the others). */
function expectStartedOnceEach(model: Model): void {
  const hosts = model.newStarts.map((each) => each.host);
  expect(hosts).toEqual([...new Set(hosts)]);
  expect(hosts.length).toBeGreaterThanOrEqual(2);
}

async function expectConverges(model: Model): Promise<void> {
  for (let run = 0; run < 3 && !isEmpty(planBootstrap(model.view())); run++) {
    const { error } = await runOn(model, planBootstrap(model.view()));
    expect(error).toBeUndefined();
  }
  expect(isEmpty(planBootstrap(model.view()))).toBe(true);
}

describe('quorate killed before any single step', () => {
  const plan = planBootstrap(createModel(cluster).view());
  const steps = plan.stages.flatMap((each) => each.steps.map((step) => step.id));

  it('has many steps to be killed before', () => expect(steps.length).toBeGreaterThan(50));

  it.each(steps)('%s: goes on, and ends where an undisturbed run does', async (id) => {
    const model = createModel(cluster);
    const { error } = await runOn(model, plan, { fault: (step) => (step.id === id ? 'kill' : undefined) });
    expect(error).toBeInstanceOf(Killed);
    await expectConverges(model);
    expectNothingBuiltOver(model);
    expectStartedOnceEach(model);
  });
});

describe('quorate killed anywhere, again and again', () => {
  const kill = fc.record({
    operator: fc.nat({ max: 12 }),
    ...Object.fromEntries(names.map((name) => [name, fc.nat({ max: 30 })])),
  });

  it('ends where an undisturbed run does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(kill, { maxLength: 6 }), async (kills) => {
        const model = createModel(cluster);
        for (const each of kills) await runUntilKilled(model, planBootstrap(model.view()), each);
        await expectConverges(model);
        expectNothingBuiltOver(model);
        expectStartedOnceEach(model);
      }),
      { numRuns: 25 },
    );
  });

  const accident = fc.oneof(
    fc.record({ kind: fc.constantFrom('reboot', 'data', 'everything'), host: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('kill'), before: kill }),
  );

  it('builds over no data, whatever is rebooted and wiped meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(accident, { maxLength: 8 }), async (accidents) => {
        const model = createModel(cluster);
        const runs: number[] = [];
        for (const each of [...accidents, undefined, undefined]) {
          if (each !== undefined && 'host' in each) {
            if (each.kind === 'reboot') model.reboot(each.host);
            else model.wipe(each.host, each.kind === 'data' ? 'data' : 'everything');
            continue;
          }
          const plan = planOrRefusal(model);
          if (plan === undefined) continue;
          runs.push(model.newStarts.length);
          if (each === undefined) await runOn(model, plan);
          else await runUntilKilled(model, plan, each.before).catch(expectRefusedOrFailed);
        }
        expectNothingBuiltOver(model, runs);
      }),
      { numRuns: 40 },
    );
  });
});

/** What a run may end with when the hosts were changed under it. */
function expectRefusedOrFailed(error: unknown): void {
  if (!(error instanceof QuorateError)) throw error;
  expect(['refused', 'step-failed']).toContain(error.code);
}
