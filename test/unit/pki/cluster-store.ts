/** A cluster's PKI store in a folder of its own, for the tests of this folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { onTestFinished } from 'vitest';
import type { PkiPolicy } from '../../../src/domain/cluster.ts';
import type { PkiContext } from '../../../src/pki/context.ts';
import { openCustody } from '../../../src/pki/custody.ts';
import { systemEntropy } from '../../../src/pki/entropy.ts';
import { openFileStore } from '../../../src/pki/file-store.ts';
import { createCluster } from '../../../src/pki/state.ts';
import type { PkiStore } from '../../../src/pki/store.ts';

export const uuid = '0b4f6d3a-8d1e-4c59-9d4b-0a8a5b0c1d2e';

const storePolicy: PkiPolicy = {
  authorities: 'separate',
  external: [],
  algorithm: 'ecdsa-p256',
  caLifetimeDays: 3650,
  leafLifetimeDays: 365,
  backdateMinutes: 5,
  renewBefore: { share: 1 / 3 },
  nameConstraints: undefined,
  organization: 'Example',
  recipients: [],
  identityFile: undefined,
};

/** Gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store with a root and nothing else. */
export async function clusterStore(
  options: { readonly policy?: Partial<PkiPolicy>; readonly store?: PkiStore; readonly identity?: string } = {},
): Promise<PkiContext & { readonly identity: string }> {
  const store = options.store ?? openFileStore(join(temporaryFolder(), 'state'));
  await createCluster(store, { uuid, name: 'prod', token: 'prod-1' }, Date.now());
  const identity = options.identity ?? (await generateX25519Identity());
  return {
    store,
    identity,
    custody: await openCustody([identity], []),
    policy: { ...storePolicy, ...options.policy },
    uuid,
    entropy: systemEntropy,
    now: Date.now,
    who: 'tester@unit',
  };
}
