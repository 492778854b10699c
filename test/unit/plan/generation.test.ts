/** A folder that an earlier run left is taken up only as far as it is what is wanted now. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { HostFacts } from '../../../src/domain/facts.ts';
import { leafPurposes, type Step } from '../../../src/domain/step.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planRotate, type RotateWish } from '../../../src/plan/rotate.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const server: RotateWish = { members: [], purposes: ['server'], due: false, keys: 'make' };
const next = '/etc/etcd/pki.d/2';

describe('a generation that a rotation of server certificates left', () => {
  let model: Model;
  beforeEach(async () => {
    model = createModel(cluster);
    expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
    const plan = planRotate(model.view(), server);
    const end = plan.stages.findIndex((each) => each.id === 'put') + 1;
    expect((await runOn(model, { ...plan, stages: plan.stages.slice(0, end) })).error).toBeUndefined();
  });

  const lose = (...paths: readonly string[]): void =>
    model.edit('etcd-1', (host): HostFacts => {
      const keep = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
        Object.fromEntries(Object.entries(record).filter(([path]) => !paths.includes(path)));
      return { ...host, files: keep(host.files), texts: keep(host.texts), certificates: keep(host.certificates) };
    });
  const steps = (): readonly string[] =>
    planRotate(model.view(), server)
      .stages.flatMap((each): readonly Step[] => each.steps)
      .filter((step) => step.host === 'etcd-1' || ('member' in step && step.member === 'etcd-1'))
      .map((step) => step.kind);
  const ends = async (): Promise<void> => {
    expect((await runOn(model, planRotate(model.view(), server))).error).toBeUndefined();
    expect(leafPurposes.length - model.mismatchedPairs('etcd-1').length).toBe(3);
  };

  it('is switched to as it is', async () => {
    expect(steps()).toEqual(['pki.switch', 'generation.prune']);
    await ends();
  });

  it('gets a carried certificate that it lacks', async () => {
    lose(`${next}/peer.crt`);
    expect(steps()).toEqual(['pki.put', 'pki.switch', 'generation.prune']);
    await ends();
  });

  it('gets a carried key that it lacks', async () => {
    lose(`${next}/client.key`);
    expect(steps()).toEqual(['generation.prepare', 'pki.put', 'pki.switch', 'generation.prune']);
    await ends();
  });

  it('gets a new key in place of one that was carried, once that in use cannot be used', async () => {
    const before = model.host('etcd-1').texts[`${next}/client.pub`];
    lose('/etc/etcd/pki.d/1/client.key');
    expect(steps()).toEqual([
      'generation.prepare',
      'key.make',
      'cert.issue',
      'pki.put',
      'pki.switch',
      'generation.prune',
    ]);
    await ends();
    expect(model.host('etcd-1').texts[`${next}/client.pub`]).not.toBe(before);
  });

  it('gets another certificate where that is due by now', async () => {
    model.later(300);
    expect(steps()).toEqual(['cert.issue', 'pki.put', 'pki.switch', 'generation.prune']);
    await ends();
  });
});
