/** Opens the operator's side for a cluster: identity, PKI store, releases. */
import type { Cluster } from '../domain/cluster.ts';
import type { Ui } from '../ui/output.ts';
import { type IdentityOptions, lazyCustody } from './identity.ts';
import { type OperatorSide, operatorSide } from './operator-side.ts';
import type { Process } from './process.ts';
import { openReleases } from './releases.ts';

export async function openOperator(
  cluster: Cluster,
  identity: IdentityOptions,
  { process, ui }: { readonly process: Process; readonly ui: Ui },
): Promise<OperatorSide> {
  return operatorSide({
    cluster,
    custody: lazyCustody(cluster, identity, { process, ui }),
    releases: await openReleases(cluster, process),
    process,
    warn: (text) => ui.warn(text),
  });
}
