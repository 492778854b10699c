/** What a place that etcd releases come from can do. */
import type { Say } from './say.ts';

/** How a release is made. */
export interface MakeOptions {
  readonly cache: string;
  readonly say: Say;
  readonly signal?: AbortSignal | undefined;
}

/** One kind of place. */
export interface ReleaseSource {
  readonly name: string;
  /** Why this place cannot have the version, found without fetching it; undefined when it should. */
  refuse(version: string, cache: string): Promise<string | undefined>;
  /**
   * Leaves tarball and SHA256SUMS of the version in the empty folder `folder` and returns where they come from, in
   * words. Throws `step-failed` when it cannot.
   */
  make(version: string, folder: string, options: MakeOptions): Promise<string>;
}
