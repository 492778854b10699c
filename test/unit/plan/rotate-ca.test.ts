/** What certs rotate-ca refuses before it begins. */
import { expect, it } from 'vitest';
import type { AuthorityView } from '../../../src/domain/pki-view.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { describe } from '../../../src/plan/describe.ts';
import { planRotateCa, type RotateCaWish } from '../../../src/plan/rotate-ca.ts';
import { runOn } from '../../fakes/executor.ts';
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
  expect(() => planRotateCa(withKey(false), wish)).toThrow('client-2 was imported without its key');
  expect(() => planRotateCa(withKey(false), { ...wish, until: 'trust-both' })).not.toThrow();
  expect(() => planRotateCa(withKey(true), wish)).not.toThrow();
});

it('renews all authorities in one step, so that an interruption forgets none', async () => {
  const model = createModel(clusterOf('3.6.16'));
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  const { stages } = planRotateCa(model.view(), { ...wish, purposes: ['client', 'peer'], direction: 'renew' });
  const steps = stages.flatMap((each) => each.steps).filter((each) => each.kind === 'authority.renew');
  expect(steps.map(({ renewals }) => renewals.map(({ id }) => id))).toEqual([['client-1', 'peer-1']]);
  expect(steps.map((each) => describe(each).text)).toEqual([
    'certify client-1, peer-1 anew, with their keys and subjects',
  ]);
});
