import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { operatorSide } from '../../../src/main/operator-side.ts';
import { openFileStore } from '../../../src/pki/file-store.ts';
import { createCluster, loadPki } from '../../../src/pki/state.ts';
import { NOW } from '../../fakes/facts.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

it('never gives another token to a store that belongs to a cluster of another name', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'quorate-store-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }));
  const store = openFileStore(stateDir);
  await createCluster(
    store,
    { uuid: '11111111-2222-4333-8444-555555555555', name: 'payments', token: 'token-of-payments' },
    NOW,
  );
  const cluster = clusterOf('3.6.16', { name: 'orders', stateDir });
  const unused = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const { env, ...place } = { env: {}, directory: '/', home: '/', pid: 1, uid: 0, who: 'ada@laptop' };
  const side = operatorSide({
    cluster,
    custody: unused,
    releases: { checksums: () => ({}), fetch: unused, downloadScript: unused },
    process: { env, ...place, now: () => NOW },
    warn: () => undefined,
    note: () => undefined,
  });
  const step = { kind: 'store.create', host: 'operator', id: 'operator/operator/store.create', why: 'test' } as const;
  const doing = side.port(new Map()).perform(step, createModel(cluster).view(), new AbortController().signal);
  await expect(doing).rejects.toThrow('belongs to cluster payments, not orders');
  expect((await loadPki(store)).identity?.token).toBe('token-of-payments');
});
