/** Whom certs rescue brings back, whom it leaves alone, and what it says instead. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostFacts } from '../../../src/domain/facts.ts';
import { pkiGeneration } from '../../../src/domain/layout.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { OPERATOR } from '../../../src/domain/step.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planRescue } from '../../../src/plan/rescue.ts';
import type { View } from '../../../src/plan/view.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const generation = pkiGeneration(cluster, 1);
let formed: View;

beforeAll(async () => {
  const model = createModel(cluster);
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  formed = model.view();
});

function withHost(view: View, name: string, change: (host: HostFacts) => Partial<HostFacts>): View {
  const host = view.facts.hosts[name];
  if (host === undefined) throw new Error(`no ${name}`);
  const hosts = { ...view.facts.hosts, [name]: { ...host, ...change(host) } };
  return { ...view, facts: { ...view.facts, hosts } };
}

/** Its peer bundle is another one than the others have. */
function behind(view: View, name: string): View {
  return withHost(view, name, ({ certificates }) => {
    const others = Object.entries(certificates).filter(([path]) => !path.endsWith('/peer-ca.crt'));
    return { certificates: Object.fromEntries(others) };
  });
}

function down(view: View, name: string): View {
  const stopped = withHost(view, name, ({ unit }) => ({ unit: { ...unit, activeState: 'activating' } }));
  const endpoint = view.facts.endpoints[name];
  if (endpoint === undefined) throw new Error(`no endpoint ${name}`);
  const endpoints = { ...view.facts.endpoints, [name]: { ...endpoint, failure: 'refused', linearizable: false } };
  return { ...stopped, facts: { ...stopped.facts, endpoints } };
}

function hostsOf({ stages }: Plan): readonly string[] {
  return [...new Set(stages.flatMap(({ steps }) => steps.map(({ host }) => host)))].filter((each) => each !== OPERATOR);
}

function stagesOf({ stages }: Plan): readonly string[] {
  return stages.map(({ id }) => id);
}

describe('certs rescue', () => {
  it('plans nothing where all is as wanted', () => {
    expect(planRescue(formed).stages).toEqual([]);
  });

  it('brings back a member that was not there, and touches none of those that serve', () => {
    const plan = planRescue(down(behind(formed, 'etcd-3'), 'etcd-3'));
    expect(hostsOf(plan)).toEqual(['etcd-3']);
    expect(stagesOf(plan)).toEqual(['prepare', 'put', 'switch', 'restart', 'prove', 'prune']);
  });

  it('starts one whose run was interrupted before the start', () => {
    const plan = planRescue(down(formed, 'etcd-3'));
    expect(stagesOf(plan)).toEqual(['restart', 'prove']);
    expect(hostsOf(plan)).toEqual(['etcd-3']);
  });

  it('removes old keys that an interrupted run has left, once the cluster is proved', () => {
    const old = pkiGeneration(cluster, 7);
    const directory = { kind: 'directory', mode: '0750', owner: 'root', group: 'etcd' } as const;
    const left = withHost(formed, 'etcd-2', ({ files }) => ({ files: { ...files, [old]: directory } }));
    const plan = planRescue(left);
    expect(stagesOf(plan)).toEqual(['prove', 'prune']);
    expect(hostsOf(plan)).toEqual(['etcd-2']);
  });

  it('refuses to change members that serve, all at once, while there is quorum', () => {
    const lagging = behind(formed, 'etcd-2');
    expect(lagging.facts.hosts['etcd-2']?.certificates[`${generation}/ca.crt`]).toBeDefined();
    expect(() => planRescue(lagging)).toThrow(
      '3 of 3 members serve, so the cluster has quorum, and a rescue would change etcd-2 of them all at once',
    );
  });

  it('tells how one that cannot be reached is brought back later', () => {
    const { 'etcd-3': _gone, ...hosts } = formed.facts.hosts;
    const facts = { ...formed.facts, hosts, unreachable: { 'etcd-3': 'etcd-3: no route to host' } };
    const { warnings } = planRescue(down(behind({ ...formed, facts }, 'etcd-2'), 'etcd-2'));
    expect(warnings).toContainEqual(expect.stringContaining('quorate certs rescue again brings it to what the others'));
  });
});
