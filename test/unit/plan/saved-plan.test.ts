/** When a plan that was shown, or saved, still is the plan. */
import { describe, expect, it } from 'vitest';
import { type Plan, stage } from '../../../src/domain/plan.ts';
import { differenceOfPlans, planToJson, readSavedPlan, sameSteps } from '../../../src/plan/saved-plan.ts';

function planOf(why: string, unit = 'etcd.service', inventoryHash = 'a'): Plan {
  const stages = [stage('start', 'enable', 'parallel', [{ kind: 'unit.enable', host: 'etcd-1', unit, why }])];
  return { verb: 'apply', cluster: 'prod', inventoryHash, stages, warnings: [], reasons: [] };
}

describe('a plan', () => {
  const plan = planOf('it was started with another configuration');
  const saved = readSavedPlan(JSON.stringify(planToJson(plan)), 'plan.json');

  it('stays the same where the reason of a step is told otherwise, as that of a member in a crash loop is', () => {
    const again = planOf('nothing tells what it was started with');
    expect([sameSteps(plan, again), differenceOfPlans(saved, again)]).toEqual([true, undefined]);
  });

  it('is another one with another step, another inventory, another verb', () => {
    const other = planOf('', 'other.service');
    expect(sameSteps(plan, other)).toBe(false);
    expect(differenceOfPlans(saved, other)).toContain('no longer those needed');
    expect(differenceOfPlans(saved, planOf('', 'etcd.service', 'b'))).toContain('the inventory has changed');
    expect(differenceOfPlans(saved, { ...plan, verb: 'restart' })).toBe('is a plan for apply, not for restart');
  });
});
