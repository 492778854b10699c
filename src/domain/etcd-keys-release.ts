/** Which release an etcd key is judged for, and the complaints that depend on it alone. */
import { type Minor, minorOf, minors, parseVersion } from './version.ts';

/** One thing that is wrong with the operator's etcd keys. */
export interface EtcdKeyProblem {
  /** Below `etcd:`: the key, and what lies under it. */
  readonly path: readonly string[];
  /** What is wrong, as the end of a sentence that begins with the key. */
  readonly problem: string;
  /** What would be right. */
  readonly remedy: string;
}

/** A problem whose key is known from the context. */
export type Complaint = Omit<EtcdKeyProblem, 'path'>;

/** A minor and a patch; infinity for "the newest". */
export interface Release {
  readonly minor: Minor;
  readonly patch: number;
}

/** Reads `3.6.16`, or `3.6` for its newest patch; throws QuorateError `inventory` for an unknown minor. */
export function readRelease(version: string): Release {
  const bare = minors.find((minor) => minor === version);
  if (bare !== undefined) return { minor: bare, patch: Number.POSITIVE_INFINITY };
  return { minor: minorOf(version), patch: parseVersion(version)?.patch ?? 0 };
}

/** Whether the left minor is older. */
export function isBefore(left: Minor, right: Minor): boolean {
  return minors.indexOf(left) < minors.indexOf(right);
}

/** Whether this minor has feature gates (3.6, server/features). */
export function hasGates(minor: Minor): boolean {
  return !isBefore(minor, '3.6');
}

/** "This minor has no such thing yet." */
export function since(release: Release, minor: Minor): Complaint {
  return { problem: `does not exist in etcd ${release.minor}`, remedy: `remove the line, or use ${minor} or newer` };
}

/** "This patch of the minor is too old for it", or undefined where it is not. */
export function lateness(
  release: Release,
  firstPatch: Readonly<Partial<Record<Minor, number>>> | undefined,
): Complaint | undefined {
  const first = firstPatch?.[release.minor] ?? 0;
  if (release.patch >= first) return undefined;
  const problem = `does not exist before etcd ${release.minor}.${first}, which would ignore it without a word`;
  return { problem, remedy: `use ${release.minor}.${first} or newer` };
}
