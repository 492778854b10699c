/** Whether members hold the same data: their hashes at one revision, compared. */

/** What a member says of its key space up to a revision (HashKV). */
export interface MemberHash {
  readonly host: string;
  /** 16 hexadecimal digits. */
  readonly memberId: string;
  readonly revision: number;
  /** Hashes are comparable only where this is the same (3.4 and 3.5 hash what compaction left). */
  readonly compactRevision: number;
  readonly hash: number;
}

export interface Divergence {
  readonly state: 'equal' | 'differs' | 'not-comparable';
  /** Those that differ from what a majority of the members asked agrees on; all of them where no majority agrees. */
  readonly differing: readonly string[];
  readonly majority: boolean;
}

/** Compares hashes that were taken at one revision. */
export function compareHashes(hashes: readonly MemberHash[]): Divergence {
  if (new Set(hashes.map((each) => each.compactRevision)).size > 1) {
    return { state: 'not-comparable', differing: [], majority: false };
  }
  const groups = new Map<number, string[]>();
  for (const { hash, host } of hashes) groups.set(hash, [...(groups.get(hash) ?? []), host]);
  if (groups.size <= 1) return { state: 'equal', differing: [], majority: true };
  const largest = [...groups.values()].toSorted((left, right) => right.length - left.length)[0] ?? [];
  const majority = largest.length > hashes.length / 2;
  const differing = hashes.map((each) => each.host).filter((host) => !majority || !largest.includes(host));
  return { state: 'differs', differing, majority };
}
