/** Kills apply and restart before any step, twice: running again ends it, no process is ended twice, and quorum is never at risk. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { majority } from '../../../src/domain/quorum.ts';
import type { Step } from '../../../src/domain/step.ts';
import { planApply } from '../../../src/plan/apply.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planRestart, restartLeft } from '../../../src/plan/restart.ts';
import type { View } from '../../../src/plan/view.ts';
import { type Fault, Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const downtime = { allowed: true, required: true };
const apply = (view: View): Plan =>
  planApply(view, { ...{ only: [], members: [], remove: [], stallMs: 60_000 }, downtime });
const restart = (view: View): Plan => planRestart(view, { members: [], downtime });

function sized(members: number): Cluster {
  const controllers = Array.from({ length: members }, (_, index) =>
    controller(`etcd-${index + 1}`, `10.0.0.${index + 1}`),
  );
  return clusterOf('3.6.15', { controllers });
}

async function formed(cluster: Cluster): Promise<Model> {
  const model = createModel(cluster);
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

/** What changes before apply runs. */
const changes: Readonly<Record<string, (model: Model) => void>> = {
  'a setting': (model) => model.want({ ...model.cluster, etcd: { 'quota-backend-bytes': 4_294_967_296 } }),
  'a patch version': (model) => model.want({ ...model.cluster, version: '3.6.16' }),
  'another minor': (model) => model.want({ ...model.cluster, version: '3.7.3' }),
  'setting, version and a unit edited by hand': (model) => {
    model.want({ ...model.cluster, version: '3.6.16', etcd: { 'quota-backend-bytes': 4_294_967_296 } });
    const path = `/etc/systemd/system/${model.cluster.unit}`;
    for (const { name } of model.cluster.controllers) {
      model.edit(name, (host) => ({
        ...host,
        texts: { ...host.texts, [path]: 'edited' },
        files: { ...host.files, [path]: { kind: 'absent' } },
      }));
    }
  },
};

function serving(model: Model): number {
  return model.cluster.controllers.filter(({ name }) => model.host(name).unit.activeState === 'active').length;
}

/** Kills before the step that `chosen` names; at each step the quorum is counted. */
function killer(model: Model, chosen: (step: Step) => boolean): (step: Step) => Fault {
  return (step) => {
    expect(serving(model)).toBeGreaterThanOrEqual(majority(model.cluster.controllers.length));
    return chosen(step) ? 'kill' : undefined;
  };
}

async function run(model: Model, planner: (view: View) => Plan, chosen: (step: Step) => boolean): Promise<unknown> {
  const plan = planner(model.view());
  const permits = plan.permits ?? {};
  return (await runOn(model, plan, { permits, fault: killer(model, chosen) })).error;
}

/** Killed before its second step, where it has one. */
async function runTwoSteps(model: Model, planner: (view: View) => Plan): Promise<void> {
  const begun = new Set<string>();
  const error = await run(model, planner, (step) => begun.add(step.id).size === 2);
  if (error !== undefined && !(error instanceof Killed)) throw error;
}

function invocations(model: Model): readonly string[] {
  return model.cluster.controllers.map(({ name }) => model.host(name).unit.invocationId);
}

describe.each([1, 3, 5])('apply on %i members', (members) => {
  // Five members take long, and crash-upgrade takes them over minors.
  it.each(Object.entries(changes).filter(([name]) => members < 5 || name !== 'another minor'))(
    '%s: killed before any step, and again, ends where an undisturbed run does',
    { timeout: 300_000 },
    async (_name, change) => {
      const first = await formed(sized(members));
      change(first);
      const steps = apply(first.view()).stages.flatMap((each) => each.steps.map((step) => step.id));
      expect(steps.filter((id) => id.includes('unit.restart'))).toHaveLength(members);
      // With five, members two to four are alike.
      for (const id of steps.filter((each) => !/\/etcd-[34]\//.test(each))) {
        const model = id === steps[0] ? first : await formed(sized(members));
        if (model !== first) change(model);
        expect(await run(model, apply, (step) => step.id === id), id).toBeInstanceOf(Killed);
        await runTwoSteps(model, apply);
        expect(await run(model, apply, () => false), id).toBeUndefined();
        expect(isEmpty(apply(model.view())), id).toBe(true);
        expect(invocations(model), id).toEqual(Array.from({ length: members }, () => '2'));
      }
    },
  );
});

describe.each([1, 3, 5])('restart of %i members', (members) => {
  it('killed before any step, and again, ends every process once', { timeout: 300_000 }, async () => {
    const first = await formed(sized(members));
    const steps = restart(first.view()).stages.flatMap((each) => each.steps.map((step) => step.id));
    for (const id of steps) {
      const model = id === steps[0] ? first : await formed(sized(members));
      expect(await run(model, restart, (step) => step.id === id), id).toBeInstanceOf(Killed);
      await runTwoSteps(model, restart);
      if (model.pki().goals.length > 0) {
        const last = restart(model.view());
        expect((await runOn(model, last, { permits: last.permits })).error, id).toBeUndefined();
        expect(restartLeft(model.view(), { members: [], downtime }, last).stages, id).toEqual([]);
      }
      expect(model.pki().goals).toEqual([]);
      expect(invocations(model), id).toEqual(Array.from({ length: members }, () => '2'));
    }
  });
});
