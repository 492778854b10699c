/** Issuing clients' certificates with the operator's identity. */
import type { ClientOrder, IssuedClient } from '../domain/client-order.ts';
import type { Cluster } from '../domain/cluster.ts';
import { issueClient } from '../pki/clients.ts';
import { systemEntropy } from '../pki/entropy.ts';
import { openFileStore } from '../pki/file-store.ts';
import { readDocument } from '../pki/state.ts';
import type { Ui } from '../ui/output.ts';
import { type IdentityOptions, lazyCustody } from './identity.ts';
import type { Process } from './process.ts';

/** @throws QuorateError refused without identity, without a cluster in the store, or against the policy */
export async function issueForClient(
  cluster: Cluster,
  order: ClientOrder,
  { identity, process, ui }: { readonly identity: IdentityOptions; readonly process: Process; readonly ui: Ui },
): Promise<IssuedClient> {
  const store = openFileStore(cluster.stateDir);
  const { uuid } = await readDocument(store);
  const custody = await lazyCustody(cluster, identity, { process, ui })();
  const { now, who } = process;
  return issueClient({ store, custody, policy: cluster.pki, uuid, entropy: systemEntropy, now, who }, order);
}
