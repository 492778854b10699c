/** Which sha256 a release must have, and what is said when it has another. */
import type { Architecture, Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { ReleaseLock } from './lock-file.ts';

export interface KnownChecksum {
  /** Lowercase hex. */
  readonly sha256: string;
  /** Who says so, for people. */
  readonly from: string;
}

/**
 * The sha256 that inventory or lock file state; undefined where neither does. Throws QuorateError `refused` where they
 * contradict each other.
 */
export function knownChecksum(
  cluster: Cluster,
  architecture: Architecture,
  lock: ReleaseLock,
): KnownChecksum | undefined {
  const stated = cluster.checksums[architecture]?.toLowerCase();
  const locked = lock[cluster.version]?.[architecture];
  if (stated !== undefined && locked !== undefined && stated !== locked) {
    throw new QuorateError(
      'refused',
      `etcd ${cluster.version} linux-${architecture}: the inventory says sha256 ${stated}, ${cluster.lockFile} says ${locked}`,
      { hint: `only one can be right: correct the inventory, or delete the line from ${cluster.lockFile}` },
    );
  }
  if (stated !== undefined) return { sha256: stated, from: 'the inventory' };
  return locked === undefined ? undefined : { sha256: locked, from: cluster.lockFile };
}

/** The refusal of a tarball whose bytes are not those that were expected. */
export function checksumMismatch(what: string, actual: string, expected: KnownChecksum): QuorateError {
  return new QuorateError(
    'refused',
    `${what}: has sha256 ${actual}, and ${expected.from} says ${expected.sha256}: these are not the bytes that were asked for`,
    {
      hint: `compare with https://github.com/etcd-io/etcd/releases; where ${expected.from} is what is wrong, correct or delete that line`,
    },
  );
}
