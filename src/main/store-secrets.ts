/** Secrets that the state directory holds in the clear: known before anything of a host's is shown. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { openFileStore } from '../pki/file-store.ts';
import { loadPki } from '../pki/state.ts';
import type { Secrets } from '../ui/secrets.ts';

/** Masks the cluster's token from now on; what is wrong with a store that cannot be read is the result. */
export async function learnToken(cluster: Cluster, secrets: Secrets): Promise<string | undefined> {
  try {
    const { identity } = await loadPki(openFileStore(cluster.stateDir));
    if (identity !== undefined) secrets.add(identity.token);
    return undefined;
  } catch (error) {
    if (error instanceof QuorateError) return error.message;
    throw error;
  }
}
