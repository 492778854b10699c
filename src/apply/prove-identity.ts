/** Proves who a cluster and its members are: by computed IDs while it forms, by what its members and hosts say ever after. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts, MemberFact } from '../domain/facts.ts';
import type { Identity } from '../domain/verdict.ts';
import type { EndpointStatus } from '../etcd/client.ts';

/** What tells who they are. */
export interface IdentityProof {
  readonly cluster: Cluster;
  readonly identity: Identity;
  readonly facts: Pick<Facts, 'hosts'>;
  readonly clients: ReadonlyMap<string, Asked>;
}

interface Asked {
  status(): Promise<Pick<EndpointStatus, 'clusterId' | 'memberId'>>;
  memberList(): Promise<readonly MemberFact[]>;
}

/** The first members of a cluster have the IDs that were computed before the start, and list each other. @throws QuorateError step-failed */
export async function proveComputedIdentity({ clients, identity, cluster }: IdentityProof): Promise<void> {
  for (const { host, status, members } of await askAll(clients)) {
    if (status.clusterId !== identity.clusterId) {
      throw failed(
        host,
        `its cluster ID is ${status.clusterId}, and ${identity.clusterId} was computed before the start`,
      );
    }
    if (status.memberId !== identity.memberIds[host]) {
      throw failed(
        host,
        `its member ID is ${status.memberId}, and ${identity.memberIds[host]} was computed before the start`,
      );
    }
    const listed = wordsOf(members);
    const wanted = cluster.controllers.map(({ name }) => `${name} ${identity.memberIds[name]}`).sort();
    if (listed.join() !== wanted.join())
      throw failed(host, `lists the members ${listed.join(', ')}; wanted: ${wanted.join(', ')}`);
  }
}

/**
 * Members that came later have IDs that nobody can compute. Every member must be of the cluster that the marks on its host name and of the same one as the
 * others; all must list the same members; and each must be listed, by the ID that it says of itself, with the peer URL that the inventory has for its host.
 * @throws QuorateError step-failed
 */
export async function proveToldIdentity({ clients, identity, cluster, facts }: IdentityProof): Promise<void> {
  const told = await askAll(clients);
  const [first] = told;
  for (const { host, status, members } of told) {
    const marker = facts.hosts[host]?.records.marker;
    const marked = marker?.uuid === identity.uuid ? marker.clusterId : undefined;
    const wanted = marked ?? first?.status.clusterId;
    if (status.clusterId !== wanted) {
      const who = marked === undefined ? `${first?.host} says` : 'its own mark says';
      throw failed(host, `its cluster ID is ${status.clusterId}, and ${who} ${wanted}`);
    }
    const [own, other] = [wordsOf(members).join(', '), wordsOf(first?.members ?? []).join(', ')];
    if (own !== other) throw failed(host, `lists the members ${own}; ${first?.host} lists ${other}`);
    requireListed(host, status.memberId, { members, cluster });
  }
}

function askAll(clients: IdentityProof['clients']) {
  const asked = [...clients].map(async ([host, client]) => {
    const [status, members] = await Promise.all([client.status(), client.memberList()]);
    return { host, status, members };
  });
  return Promise.all(asked);
}

function requireListed(
  host: string,
  id: string,
  { members, cluster }: { readonly members: readonly MemberFact[]; readonly cluster: Cluster },
): void {
  const entry = members.find((each) => each.id === id);
  if (entry === undefined) throw failed(host, `its member ID is ${id}, which the member list lacks`);
  const peerUrl = cluster.controllers.find(({ name }) => name === host)?.peerUrl ?? '';
  if (entry.peerUrls.includes(peerUrl)) return;
  throw failed(host, `its member ID is ${id}, which is listed with ${entry.peerUrls.join(', ')}; wanted: ${peerUrl}`);
}

function wordsOf(members: readonly MemberFact[]): readonly string[] {
  return members.map((each) => `${each.name} ${each.id}${each.learner ? ' learner' : ''}`).sort();
}

function failed(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: ${what}`, {
    host,
    hint: 'another cluster may answer there: look at its data folder and its log, and at quorate status -i FILE',
  });
}
