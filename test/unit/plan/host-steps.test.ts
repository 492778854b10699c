import { describe, expect, it } from 'vitest';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planDrift } from '../../../src/plan/drift.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster } from '../render/cluster.ts';

function modelOn(machine: string, binaries: Parameters<typeof cluster>[1] = {}): Model {
  const model = createModel(cluster('3.6.16', binaries));
  for (const { name } of model.cluster.controllers) model.edit(name, (host) => ({ ...host, machine }));
  return model;
}

describe('a machine for which etcd is not released', () => {
  it.each([planBootstrap, planDrift])('is refused, not passed over', (planner) => {
    expect(() => planner(modelOn('riscv64').view())).toThrow('etcd is not released for riscv64');
  });

  it('is no matter where binaries are on the hosts', () => {
    const model = modelOn('riscv64', { binaries: { kind: 'system', directory: '/opt/etcd' } });
    expect(planBootstrap(model.view()).stages).not.toEqual([]);
  });
});
