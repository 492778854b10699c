/** What is done with the operator's identity alone: issuing to clients, revoking. */
import type { ClientOrder, IssuedClient } from '../domain/client-order.ts';
import type { Cluster } from '../domain/cluster.ts';
import { requestAdmin } from '../pki/admin.ts';
import { issueClient } from '../pki/clients.ts';
import type { PkiContext } from '../pki/context.ts';
import { systemEntropy } from '../pki/entropy.ts';
import { openFileStore } from '../pki/file-store.ts';
import { revokeProvably } from '../pki/revocation.ts';
import type { Revocation } from '../pki/revoked.ts';
import { readDocument } from '../pki/state.ts';
import { lazyCustody, type Surroundings } from './identity.ts';
import { proofNames } from './revocation.ts';

/** @throws QuorateError refused without identity, without a cluster in the store, or against the policy */
export async function issueForClient(
  cluster: Cluster,
  order: ClientOrder,
  surroundings: Surroundings,
): Promise<IssuedClient> {
  return issueClient(await contextOf(cluster, surroundings), order);
}

/** @throws QuorateError refused without identity, or without a cluster in the store */
export async function revokeFor(
  cluster: Cluster,
  revocations: readonly Revocation[],
  surroundings: Surroundings,
): Promise<void> {
  await revokeProvably(await contextOf(cluster, surroundings), revocations, proofNames(cluster));
}

/** @throws QuorateError refused without identity, or without the operator's key */
export async function adminRequestFor(cluster: Cluster, surroundings: Surroundings): Promise<string> {
  return requestAdmin(await contextOf(cluster, surroundings));
}

async function contextOf(cluster: Cluster, { identity, process, ui }: Surroundings): Promise<PkiContext> {
  const store = openFileStore(cluster.stateDir);
  const { uuid } = await readDocument(store);
  const custody = await lazyCustody(cluster, identity, { process, ui })();
  const { now, who } = process;
  return { store, custody, policy: cluster.pki, uuid, entropy: systemEntropy, now, who };
}
