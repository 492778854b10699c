/** Which etcd a lab's cluster runs: the newest that this machine can get. */
import { join } from 'node:path';
import { hazardsOf } from '../domain/hazards.ts';
import { ensureRelease } from './releases.ts';
import type { Say } from './say.ts';

export interface DemoRelease {
  readonly version: string;
  /** Absolute path of the tarball. */
  readonly tarball: string;
  /** Hazards of that version, which a throw-away cluster accepts. */
  readonly hazards: readonly string[];
}

/** Newest first: built with Go, or Debian's packages. */
const candidates = ['3.6.16', '3.5.30', '3.4.23'] as const;

/** The release of `version`, or the first candidate that can be had. @throws QuorateError usage with every reason why not */
export async function demoRelease(version: string | undefined, say: Say): Promise<DemoRelease> {
  let last: unknown;
  for (const candidate of version === undefined ? candidates : [version]) {
    try {
      const { tarball } = await ensureRelease(candidate, { say });
      const hazards = hazardsOf(candidate).filter(({ severity }) => severity === 'refuse');
      return { version: candidate, tarball: join(tarball), hazards: hazards.map(({ id }) => id) };
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
