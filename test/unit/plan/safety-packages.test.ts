import { describe, expect, it } from 'vitest';
import { type CompileContext, compile } from '../../../src/apply/compile.ts';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planDrift } from '../../../src/plan/drift.ts';
import { runOn } from '../../fakes/executor.ts';
import { NOW } from '../../fakes/facts.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

/** A model on which a distribution's etcd is installed, and runs under the unit that the distribution gives it. */
function withPackage(cluster: Cluster): Model {
  const model = createModel(cluster);
  for (const { name } of cluster.controllers) {
    model.edit(name, (host) => ({
      ...host,
      packages: [{ name: 'etcd-server', version: '3.5.16', held: false }],
      processes: [{ pid: 1, executable: '/usr/bin/etcd', arguments: [], unit: 'etcd.service', version: '3.5.16' }],
    }));
  }
  return model;
}

function holdOf(model: Model, planner = planBootstrap) {
  return planner(model.view())
    .stages.flatMap((each) => each.steps)
    .find((step) => step.kind === 'package.hold');
}

async function scriptOf(model: Model): Promise<string> {
  const step = holdOf(model);
  if (step?.kind !== 'package.hold') throw new Error('there is no such step');
  const context: CompileContext = {
    view: model.view(),
    issued: {},
    release: undefined,
    download: undefined,
    stage: () => ({ name: 'f1', content: '' }),
    timestamp: new Date(NOW).toISOString(),
  };
  return (await compile(step, context)).script;
}

describe('a distribution’s etcd', () => {
  it('is stopped on a host on which quorate has noted nothing', async () => {
    const model = withPackage(clusterOf('3.6.16'));
    expect(holdOf(model)).toMatchObject({ unit: 'etcd.service' });
    expect(await scriptOf(model)).toContain('systemctl stop etcd.service');
  });

  it('is not what runs under its name once quorate’s member does: that is never stopped', async () => {
    const model = createModel(clusterOf('3.6.16'));
    const plan = planBootstrap(model.view());
    const upToStart = plan.stages.filter((each) => each.id !== 'prove' && each.id !== 'mark');
    expect((await runOn(model, { ...plan, stages: upToStart })).error).toBeUndefined();
    const { name } = model.cluster.controllers[0] ?? { name: '' };
    const facts = withPackage(model.cluster).host(name);
    model.edit(name, (host) => ({ ...host, packages: facts.packages, processes: facts.processes }));
    expect(holdOf(model)).toMatchObject({ host: name, unit: '' });
    expect(await scriptOf(model)).not.toContain('systemctl stop');
  });

  it('is no drift of a formed cluster that runs its very binaries, once held', async () => {
    const cluster = clusterOf('3.5.16', { binaries: { kind: 'system', directory: '/usr/bin' } });
    const model = createModel(cluster);
    expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
    for (const { name } of cluster.controllers) {
      const facts = withPackage(cluster).host(name);
      const packages = facts.packages.map((each) => ({ ...each, held: true }));
      model.edit(name, (host) => ({ ...host, packages, processes: facts.processes }));
    }
    expect(holdOf(model, planDrift)).toBeUndefined();
  });

  it('is stopped under its own name, and kept from starting at boot, where ours has another', async () => {
    const model = withPackage(clusterOf('3.6.16', { unit: 'etcd-demo.service' }));
    expect(holdOf(model)).toMatchObject({ unit: 'etcd.service' });
    expect(await scriptOf(model)).toMatch(/systemctl stop etcd\.service .*\nsystemctl disable etcd\.service/);
  });
});
