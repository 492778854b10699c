/** What a member's own metrics tell, as far as judging a cluster needs it. */

/** undefined where the member's version has no such metric. */
export interface MemberMetrics {
  readonly quotaBytes: number | undefined;
  /** Upper bound of 99 % of the WAL's syncs since the process started; undefined where there were fewer than 100. */
  readonly walSync99Ms: number | undefined;
  readonly openFiles: number | undefined;
  readonly maxFiles: number | undefined;
  /** IDs of members that it has taken for unreachable; those that were removed stay in it. */
  readonly lostPeers: readonly string[];
}

/** By controller name; a host whose metrics could not be read is missing. */
export type MetricsFacts = Readonly<Record<string, MemberMetrics>>;
