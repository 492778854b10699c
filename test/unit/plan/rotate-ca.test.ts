/** What certs rotate-ca refuses before it begins. */
import { describe, expect, it } from 'vitest';
import type { AuthorityView } from '../../../src/domain/pki-view.ts';
import { leafPurposes } from '../../../src/domain/step.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { describe as describeStep } from '../../../src/plan/describe.ts';
import { planRotate, type RotateWish } from '../../../src/plan/rotate.ts';
import { planRotateCa, type RotateCaWish } from '../../../src/plan/rotate-ca.ts';
import type { View } from '../../../src/plan/view.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const wish: RotateCaWish = {
  purposes: ['client'],
  until: 'leaves',
  crossSign: false,
  direction: 'forward',
  allowDowntime: false,
  clients: [],
};

it('refuses to put a successor into force whose key is elsewhere, and lets members trust it', async () => {
  const model = createModel(clusterOf('3.6.16'));
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  const view = model.view();
  const successor = (hasKey: boolean): AuthorityView[] =>
    view.pki.authorities
      .filter((each) => each.id === 'client-1')
      .map((each) => ({ ...each, id: 'client-2', status: 'incoming', hasKey }));
  const withKey = (hasKey: boolean) => {
    return { ...view, pki: { ...view.pki, authorities: [...view.pki.authorities, ...successor(hasKey)] } };
  };
  expect(() => planRotateCa(withKey(false), wish)).toThrow('client-2 signs elsewhere');
  expect(() => planRotateCa(withKey(false), { ...wish, until: 'trust-both' })).not.toThrow();
  expect(() => planRotateCa(withKey(true), wish)).not.toThrow();
});

it('renews all authorities in one step, so that an interruption forgets none', async () => {
  const model = createModel(clusterOf('3.6.16'));
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  const { stages } = planRotateCa(model.view(), { ...wish, purposes: ['client', 'peer'], direction: 'renew' });
  const steps = stages.flatMap((each) => each.steps).filter((each) => each.kind === 'authority.renew');
  expect(steps.map(({ renewals }) => renewals.map(({ id }) => id))).toEqual([['client-1', 'peer-1']]);
  expect(steps.map((each) => describeStep(each).text)).toEqual([
    'certify client-1, peer-1 anew, with their keys and subjects',
  ]);
});

describe('after a rotation of leaves that was interrupted', () => {
  const leaves: RotateWish = { members: [], purposes: leafPurposes, due: false, keys: 'make' };
  const both: RotateCaWish = { ...wish, purposes: ['client', 'peer'], until: 'drop-cross' };
  const interrupted = async (stageId: string): Promise<View> => {
    const model = createModel(clusterOf('3.6.16'));
    expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
    const plan = planRotate(model.view(), leaves);
    const [first] = plan.stages.find((each) => each.id === stageId)?.steps ?? [];
    const { error } = await runOn(model, plan, { fault: (step) => (step.id === first?.id ? 'kill' : undefined) });
    expect(error).toBeInstanceOf(Killed);
    return model.view();
  };
  const idsOf = (view: View): readonly string[] => planRotateCa(view, both).stages.map((each) => each.id);
  const withoutGoal = (view: View): View => ({ ...view, pki: { ...view.pki, goals: [] } });

  it('is refused while that is open, told how to finish it', async () => {
    const view = await interrupted('put');
    expect(() => planRotateCa(view, both)).toThrow('a rotation is open');
    expect(() => planRotateCa(view, { ...both, direction: 'renew' })).toThrow('a rotation is open');
  });

  it('that was for what is due begins all the same: what that prepared is the end of nothing', async () => {
    expect(idsOf(withoutGoal(await interrupted('put'))).slice(0, 1)).toEqual(['trust-both']);
  });

  it('removes what an earlier run left over, says so, and begins nothing else', async () => {
    const view = withoutGoal(await interrupted('prune'));
    expect(idsOf(view)).toEqual(['settle-prove', 'prune']);
    expect(planRotateCa(view, both).warnings.join()).toContain('begins nothing else');
  });
});
