/** Takes the hash of every member's key space at one revision that all of them have. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberHash } from '../domain/divergence.ts';
import { QuorateError } from '../domain/errors.ts';
import type { EtcdClient } from '../etcd/client.ts';

/** A compaction between two members' answers makes them incomparable: it is then tried again. */
const ATTEMPTS = 4;
const PAUSE_MS = 500;

/**
 * One for each client, all at the lowest of their revisions.
 * @throws QuorateError step-failed, unreachable: a member that did not answer
 */
export async function takeHashes(clients: ReadonlyMap<string, EtcdClient>): Promise<readonly MemberHash[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const hashes = await takeOnce(clients);
      if (attempt === ATTEMPTS || new Set(hashes.map((each) => each.compactRevision)).size <= 1) return hashes;
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof QuorateError) || error.code !== 'step-failed') throw error;
    }
    await sleep(PAUSE_MS);
  }
}

async function takeOnce(clients: ReadonlyMap<string, EtcdClient>): Promise<readonly MemberHash[]> {
  const asked = await Promise.all(
    [...clients].map(async ([host, client]) => ({ host, client, status: await client.status() })),
  );
  const revision = Math.min(...asked.map(({ status }) => status.revision));
  return Promise.all(
    asked.map(async ({ host, client, status: { memberId } }) => {
      const { hash, compactRevision } = await client.hashKv(revision);
      return { host, memberId, revision, compactRevision, hash };
    }),
  );
}
