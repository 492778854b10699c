/** Kills upgrades and downgrades anywhere, twice: no member is ever started on what its binary cannot read, and the same command ends them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { isEmpty } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planVersion, type VersionWish, versionLeft } from '../../../src/plan/upgrade.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

function clusterWith(version: string, members: number) {
  const controllers = Array.from({ length: members }, (_, index) =>
    controller(`etcd-${index + 1}`, `10.0.0.${index + 1}`),
  );
  return clusterOf(version, { controllers });
}

async function formed(version: string, members: number): Promise<Model> {
  const model = createModel(clusterWith(version, members));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

/** A cluster of one is down while its member restarts. */
const permits = { downtime: true } as const;

const up = (to: string, ...via: readonly string[]): VersionWish => ({
  ...{ way: 'up', to, via, abort: false, allowDowntime: true },
  accepted: ['apply-snapshot-defrag', 'stale-reads-20418', 'rbac-bypass-33413', 'rbac-bypass-44283'],
});
const down = (to: string, ...via: readonly string[]): VersionWish => ({ ...up(to, ...via), way: 'down' });

/** Runs the command again until it says that it is done. */
async function finish(model: Model, wish: VersionWish): Promise<void> {
  const plan = planVersion(model.view(), wish);
  const { error } = await runOn(model, plan, { permits });
  expect(error).toBeUndefined();
  expect(versionLeft(model.view(), wish, plan).stages).toEqual([]);
  expectAt(model, wish.to ?? '');
}

function expectAt(model: Model, version: string): void {
  const running = model.cluster.controllers.map(({ name }) => model.etcd.running(name));
  expect(running).toEqual(running.map(() => version));
  expect(model.etcd.crashes).toEqual([]);
  expect(model.pki().goals).toEqual([]);
  expect(isEmpty(planVersion(model.view(), up(version)))).toBe(true);
}

const ways: Readonly<
  Record<string, { readonly from: string; readonly before: readonly VersionWish[]; readonly wish: VersionWish }>
> = {
  'three minors up': { from: '3.4.45', before: [], wish: up('3.7.3', '3.5.35', '3.6.16') },
  'from 3.6 that came from 3.5': { from: '3.5.35', before: [up('3.6.16')], wish: up('3.7.3') },
  'from 3.6 that was born so': { from: '3.6.16', before: [], wish: up('3.7.3') },
  'two minors down': { from: '3.7.3', before: [], wish: down('3.5.35', '3.6.16') },
  'down and up again': { from: '3.7.3', before: [down('3.5.35', '3.6.16')], wish: up('3.7.3', '3.6.16') },
};

describe.each([1, 3, 5])('%d members', (members) => {
  describe.each(Object.entries(ways))('%s', (_name, { from, before, wish }) => {
    const prepared = async (): Promise<Model> => {
      const model = await formed(from, members);
      for (const each of before) await finish(model, each);
      return model;
    };
    let steps: readonly string[] = [];
    beforeAll(async () => {
      const plan = planVersion((await prepared()).view(), wish);
      steps = plan.stages.flatMap((each) => each.steps.map((step) => step.id));
    });

    it('ends undisturbed', async () => finish(await prepared(), wish));

    it('goes on, killed before any step and then once more', { timeout: 120_000 }, async () => {
      const some = members === 3 ? steps : steps.filter((_, index) => index % members === 0);
      for (const [index, id] of some.entries()) {
        const model = await prepared();
        const first = await runOn(model, planVersion(model.view(), wish), {
          permits,
          fault: (step) => (step.id === id ? 'kill' : undefined),
        });
        expect(first.error, id).toBeInstanceOf(Killed);
        const again = planVersion(model.view(), wish);
        const left = again.stages.flatMap((each) => each.steps.map((step) => step.id));
        const second = left[index % left.length];
        const next = await runOn(model, again, {
          permits,
          fault: (step) => (step.id === second ? 'kill' : undefined),
        });
        expect(next.error, `${id}, then ${second}`).toBeInstanceOf(Killed);
        await finish(model, wish);
      }
    });
  });
});

describe('a downgrade that is taken back', () => {
  it('ends where it came from, wherever it was', async () => {
    const plan = planVersion((await formed('3.7.3', 3)).view(), down('3.6.16'));
    for (const { id } of plan.stages.flatMap((each) => each.steps)) {
      const model = await formed('3.7.3', 3);
      await runOn(model, planVersion(model.view(), down('3.6.16')), {
        fault: (step) => (step.id === id ? 'kill' : undefined),
      });
      if (model.pki().goals.length === 0) continue;
      const abort: VersionWish = { ...down('3.6.16'), to: undefined, abort: true };
      const back = await runOn(model, planVersion(model.view(), abort));
      expect(back.error, id).toBeUndefined();
      expectAt(model, '3.7.3');
    }
  });
});
