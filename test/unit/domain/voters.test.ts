import { describe, expect, it } from 'vitest';
import type { EndpointFacts, Facts } from '../../../src/domain/facts.ts';
import { awaitsLeader, quorumHolds, votersOf } from '../../../src/domain/voters.ts';
import { endpointOf, identityWith, membersOf, NOW, silentEndpoint } from '../../fakes/facts.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const identity = identityWith(cluster, 'uuid', 'token');
const members = membersOf(cluster, identity);

function facts(endpoints: readonly EndpointFacts[]): Facts {
  return {
    observedAt: NOW,
    hosts: {},
    endpoints: Object.fromEntries(endpoints.map((each) => [each.host, each])),
    unreachable: {},
  };
}

function healthy(voters: ReturnType<typeof votersOf>): readonly string[] {
  return voters.map(({ name, healthy: up }) => `${name} ${up ? 'up' : 'down'}`);
}

describe('voters', () => {
  it('are those of the cluster’s own list, whoever did not answer being down', () => {
    const seen = facts([
      endpointOf(cluster, identity, 'etcd-1'),
      silentEndpoint('etcd-2', 'no answer'),
      endpointOf(cluster, identity, 'etcd-3', { linearizable: false }),
    ]);
    expect(healthy(votersOf(cluster, seen))).toEqual(['etcd-1 up', 'etcd-2 down', 'etcd-3 down']);
    expect(quorumHolds(votersOf(cluster, seen))).toBe(false);
  });

  it('are not learners', () => {
    const list = members.map((each) => ({ ...each, learner: each.name === 'etcd-3' }));
    const all = cluster.controllers.map(({ name }) => endpointOf(cluster, identity, name, { members: list }));
    expect(healthy(votersOf(cluster, facts(all)))).toEqual(['etcd-1 up', 'etcd-2 up']);
  });

  it('are members too that no inventory names: nobody can say that they are well', () => {
    const stranger = { id: 'ff', name: 'other', peerUrls: ['https://10.9.9.9:2380'], clientUrls: [], learner: false };
    const all = cluster.controllers.map(({ name }) =>
      endpointOf(cluster, identity, name, { members: [...members, stranger] }),
    );
    expect(healthy(votersOf(cluster, facts(all)))).toEqual(['etcd-1 up', 'etcd-2 up', 'etcd-3 up', 'other down']);
  });

  it('are all of the inventory, and down, where nobody answers', () => {
    expect(healthy(votersOf(cluster, facts([])))).toEqual(['etcd-1 down', 'etcd-2 down', 'etcd-3 down']);
  });

  it('wait for a leader where most of them answer, and none reads through the quorum', () => {
    const electing = (name: string) => endpointOf(cluster, identity, name, { linearizable: false, leaderId: '0' });
    const dead = silentEndpoint('etcd-3', 'no answer');
    const [one, two] = [electing('etcd-1'), electing('etcd-2')];
    expect(awaitsLeader(cluster, facts([one, two, dead]))).toBe(true);
    expect(awaitsLeader(cluster, facts([endpointOf(cluster, identity, 'etcd-1'), two, dead]))).toBe(false);
    expect(awaitsLeader(cluster, facts([one, silentEndpoint('etcd-2', 'no answer'), dead]))).toBe(false);
    expect(awaitsLeader(cluster, facts([]))).toBe(false);
  });
});
