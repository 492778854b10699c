import { beforeAll, describe, expect, it } from 'vitest';
import { type IdentityProof, proveComputedIdentity, proveToldIdentity } from '../../../src/apply/prove-identity.ts';
import type { MemberFact } from '../../../src/domain/facts.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import type { View } from '../../../src/plan/view.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
let view: View;

beforeAll(async () => {
  const model = createModel(cluster);
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  view = model.view();
});

interface Saying {
  readonly ids?: Readonly<Record<string, string>>;
  readonly clusterIds?: Readonly<Record<string, string>>;
  readonly lists?: Readonly<Record<string, (list: readonly MemberFact[]) => readonly MemberFact[]>>;
}

/** The proof's input where members say this of themselves and of each other. */
function proofOf({ ids = {}, clusterIds = {}, lists = {} }: Saying = {}): IdentityProof {
  const { identity, facts } = view;
  if (identity === undefined) throw new Error('no identity');
  const idOf = (name: string): string => ids[name] ?? identity.memberIds[name] ?? '';
  const list = cluster.controllers.map(({ name, peerUrl }): MemberFact => {
    return { id: idOf(name), name, peerUrls: [peerUrl], clientUrls: [], learner: false };
  });
  const clients = cluster.controllers.map(({ name }) => {
    const endpoint = facts.endpoints[name];
    if (endpoint === undefined) throw new Error(`no endpoint ${name}`);
    const clusterId = clusterIds[name] ?? identity.clusterId;
    const status = async () => ({ ...endpoint, clusterId, memberId: idOf(name) });
    return [name, { status, memberList: async () => lists[name]?.(list) ?? list }] as const;
  });
  return { cluster, identity, facts, clients: new Map(clients) };
}

describe('who a formed cluster is', () => {
  it('is what its members say, also where one came later and has an ID of its own', async () => {
    const later = proofOf({ ids: { 'etcd-2': '00000000000000aa' } });
    await expect(proveToldIdentity(later)).resolves.toBeUndefined();
    await expect(proveComputedIdentity(later)).rejects.toThrow('etcd-2');
    await expect(proveComputedIdentity(proofOf())).resolves.toBeUndefined();
  });

  it('is not what another cluster says that answers in its place', async () => {
    const other = proofOf({ clusterIds: { 'etcd-3': '00000000000000bb' } });
    await expect(proveToldIdentity(other)).rejects.toThrow(
      'etcd-3: its cluster ID is 00000000000000bb, and its own mark',
    );
  });

  it('is told by one list alone', async () => {
    const split = proofOf({ lists: { 'etcd-2': (list) => list.slice(1) } });
    await expect(proveToldIdentity(split)).rejects.toThrow('etcd-2: lists the members');
    const gone = (list: readonly MemberFact[]) => list.filter(({ name }) => name !== 'etcd-3');
    const removed = proofOf({ lists: { 'etcd-1': gone, 'etcd-2': gone, 'etcd-3': gone } });
    await expect(proveToldIdentity(removed)).rejects.toThrow('which the member list lacks');
  });

  it('has each member where the inventory has its host', async () => {
    const swap = (list: readonly MemberFact[]) =>
      list.map((each) => (each.name === 'etcd-1' ? { ...each, peerUrls: ['https://10.9.9.9:2380'] } : each));
    const moved = proofOf({ lists: { 'etcd-1': swap, 'etcd-2': swap, 'etcd-3': swap } });
    await expect(proveToldIdentity(moved)).rejects.toThrow('is listed with https://10.9.9.9:2380; wanted: ');
  });
});
