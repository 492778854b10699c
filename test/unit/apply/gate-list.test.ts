/** A member whose list has somebody that no other has: removed long ago, and brought back by another version. */
import { expect, it } from 'vitest';
import { gateObjections } from '../../../src/apply/gate.ts';
import type { Facts, MemberFact } from '../../../src/domain/facts.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const gone: MemberFact = { id: '00000000000000ff', name: 'gone', peerUrls: [], clientUrls: [], learner: false };

async function formed(): Promise<Facts> {
  const model = createModel(cluster);
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  return model.view().facts;
}

/** The facts with one member more in the lists of these hosts. */
function withGone(facts: Facts, hosts: readonly string[], member = gone): Facts {
  const endpoints = Object.entries(facts.endpoints).map(([host, each]) => [
    host,
    hosts.includes(host) ? { ...each, members: [...each.members, member] } : each,
  ]);
  return { ...facts, endpoints: Object.fromEntries(endpoints) };
}

it('is objected to, by ID and name', async () => {
  const before = await formed();
  const judge = (facts: Facts) => gateObjections(cluster, facts, { host: 'etcd-2', before, restarted: false });
  expect(judge(before)).toEqual([]);
  const words = 'which no other member has in its own';
  expect(judge(withGone(before, ['etcd-2']))).toEqual([`its member list has ${gone.id} (gone), ${words}`]);
  expect(judge(withGone(before, ['etcd-2'], { ...gone, name: '' }))).toEqual([
    `its member list has ${gone.id}, ${words}`,
  ]);
  // One that others have too is a member; what another host's list has is not this turn's fault.
  expect(judge(withGone(before, ['etcd-2', 'etcd-3']))).toEqual([]);
  expect(judge(withGone(before, ['etcd-3']))).toEqual([]);
});
