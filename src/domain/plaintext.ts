/** Who of a cluster still speaks plaintext, by its own member list: what every member that runs was told to advertise. Pure. */
import type { Cluster } from './cluster.ts';
import type { Facts, MemberFact } from './facts.ts';
import { memberList } from './health.ts';
import { labelOf } from './membership.ts';
import { compareText } from './plan.ts';

/** Names, sorted; both empty where nobody tells the list. */
export interface PlaintextPorts {
  /** Members that clients are told to reach over http. */
  readonly clients: readonly string[];
  /** Members that the others dial over http. */
  readonly peers: readonly string[];
}

export function plaintextPorts(cluster: Cluster, facts: Facts): PlaintextPorts {
  const named = (urlsOf: (member: MemberFact) => readonly string[]): readonly string[] =>
    memberList(facts)
      .filter((each) => urlsOf(each).some(isPlaintext))
      .map((each) => labelOf(cluster, facts, each))
      .sort(compareText);
  return { clients: named((each) => each.clientUrls), peers: named((each) => each.peerUrls) };
}

/** What is told of them, one sentence a port; empty where all is TLS. */
export function plaintextWarnings({ clients, peers }: PlaintextPorts): readonly string[] {
  return [
    ...(peers.length === 0
      ? []
      : [`peers of ${peers.join(', ')} speak plaintext: whoever reaches that port reads and writes everything`]),
    ...(clients.length === 0
      ? []
      : [
          `clients of ${clients.join(', ')} may speak plaintext, without a certificate: etcd.plaintextClients taken out of the inventory, apply ends that`,
        ]),
  ];
}

export function isPlaintext(url: string): boolean {
  return url.startsWith('http://');
}
