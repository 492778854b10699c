/** TEMPORARY */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Cluster } from '../domain/cluster.ts';
import type { ReleasePort } from './operator-side.ts';
import type { Process } from './process.ts';

export async function openReleases(cluster: Cluster, _process: Process): Promise<ReleasePort> {
  return {
    checksums: () => cluster.checksums,
    fetch: async () => {
      const path = cluster.binaries.kind === 'file' ? cluster.binaries.path : '';
      const sha256 = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      return { sha256, sizeBytes: (await stat(path)).size, read: () => createReadStream(path) };
    },
    downloadScript: async () => undefined,
  };
}
