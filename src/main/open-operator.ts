/** Opens the operator's side for a cluster: identity, PKI store, releases. */
import { cacheDirectory } from '../binaries/fetch.ts';
import { openReleases } from '../binaries/releases.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Ui } from '../ui/output.ts';
import { type IdentityOptions, lazyCustody } from './identity.ts';
import { type OperatorSide, operatorSide } from './operator-side.ts';
import type { Process } from './process.ts';

export async function openOperator(
  cluster: Cluster,
  identity: IdentityOptions,
  { process, ui }: { readonly process: Process; readonly ui: Ui },
): Promise<OperatorSide> {
  const { env, home } = process;
  const signal = new AbortController().signal;
  const options = { cacheDir: cacheDirectory(env, home), environment: env, signal };
  return operatorSide({
    cluster,
    custody: lazyCustody(cluster, identity, { process, ui }),
    releases: await openReleases(cluster, options),
    process,
    warn: (text) => ui.warn(text),
    note: (text) => ui.note(text),
  });
}
