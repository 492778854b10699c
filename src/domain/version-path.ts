/** The way from the versions that run to the one that is wanted: one minor at a time, with the patch releases between (reference/etcd-operations.md, section 5). */
import { QuorateError } from './errors.ts';
import { judgeVersion } from './hazards.ts';
import { compareVersions, type Minor, minorOf, minors } from './version.ts';

/** One roll over all members. */
export interface Hop {
  /** The oldest version that runs before it. */
  readonly from: string;
  readonly to: string;
  /** Whether the cluster's own version changes with it: etcd raises it once the last member is new. */
  readonly changesMinor: boolean;
}

export interface PathWish {
  readonly to: string;
  /** Releases to pass through, one a minor at most; others are chosen by the table of hazards. */
  readonly via: readonly string[];
}

/**
 * What every member must run before the first one starts this minor: etcd's upgrade guides as of 2026-11-21. As it starts, 3.5.26 and newer
 * takes members that were removed out of what 3.6 reads its list from (etcd issue 20967).
 */
const minimumBefore: Readonly<Partial<Record<Minor, string>>> = { '3.6': '3.5.32', '3.7': '3.6.11' };

/**
 * The hops upwards, oldest first; empty where every member runs what is wanted. `running`: the version of each member.
 * @throws QuorateError refused: a way that etcd does not support; usage: a release in `via` that is no help
 */
export function upgradePath(running: readonly string[], wish: PathWish): readonly Hop[] {
  const [oldest, newest] = extremes(running);
  if (compareVersions(newest, wish.to) > 0) throw isOlder(newest, wish.to);
  requireNeighbours(oldest, newest);
  const via = viaByMinor(wish);
  const hops: Hop[] = [];
  let from = oldest;
  const go = (to: string): void => {
    hops.push({ from, to, changesMinor: minorOf(from) !== minorOf(to) });
    from = to;
  };
  for (const minor of minorsBetween(oldest, wish.to)) {
    const least = minimumBefore[minor];
    // Members of a later minor run already: the way back to a patch release is closed.
    const mixed = from === oldest && minorOf(newest) !== minorOf(oldest);
    if (least !== undefined && compareVersions(from, least) < 0 && !mixed) go(stopOver(minorOf(from), via));
    go(minor === minorOf(wish.to) ? wish.to : stopOver(minor, via));
  }
  if (from === oldest && running.some((each) => each !== wish.to)) go(wish.to);
  return hops;
}

/**
 * The hops downwards, newest first. Within a minor that is a plain roll, between minors etcd's own procedure.
 * @throws QuorateError refused: a way that etcd does not support
 */
export function downgradePath(running: readonly string[], wish: PathWish): readonly Hop[] {
  const [oldest, newest] = extremes(running);
  if (compareVersions(oldest, wish.to) < 0) {
    throw new QuorateError('refused', `etcd ${oldest} runs, and ${wish.to} is newer: that is no downgrade`, {
      hint: `quorate upgrade --to ${wish.to}`,
    });
  }
  requireNeighbours(oldest, newest);
  if (minorOf(wish.to) === '3.4' && minorOf(newest) !== '3.4') throw noWayToThreeFour(newest, wish.to);
  const via = viaByMinor(wish);
  const hops: Hop[] = [];
  let from = newest;
  for (const minor of minorsBetween(wish.to, newest).toReversed()) {
    const below = minors[minors.indexOf(minor) - 1] ?? minor;
    const to = below === minorOf(wish.to) ? wish.to : stopOver(below, via);
    hops.push({ from, to, changesMinor: true });
    from = to;
  }
  if (hops.length === 0 && running.some((each) => each !== wish.to)) {
    hops.push({ from, to: wish.to, changesMinor: false });
  }
  return hops;
}

function extremes(running: readonly string[]): readonly [oldest: string, newest: string] {
  const sorted = running.toSorted(compareVersions);
  const [oldest, newest] = [sorted[0], sorted.at(-1)];
  if (oldest === undefined || newest === undefined) throw new Error('no member runs');
  return [oldest, newest];
}

/** The minors after that of `from`, up to that of `to`. */
function minorsBetween(from: string, to: string): readonly Minor[] {
  return minors.slice(minors.indexOf(minorOf(from)) + 1, minors.indexOf(minorOf(to)) + 1);
}

function viaByMinor({ to, via }: PathWish): ReadonlyMap<Minor, string> {
  const found = new Map<Minor, string>();
  for (const version of via) {
    const minor = minorOf(version);
    const twin = found.get(minor);
    if (twin !== undefined) throw new QuorateError('usage', `--via ${version}: ${twin} is of the same minor already`);
    if (minor === minorOf(to) && version !== to) {
      throw new QuorateError('usage', `--via ${version}: is of the same minor as ${to}, and would not be passed`);
    }
    found.set(minor, version);
  }
  return found;
}

/** The release of a minor to pass through: the one that was given, else the oldest that nothing forbids and that the next minor takes. */
function stopOver(minor: Minor, via: ReadonlyMap<Minor, string>): string {
  const next = minors[minors.indexOf(minor) + 1];
  const least = (next && minimumBefore[next]) ?? `${minor}.0`;
  const given = via.get(minor);
  if (given !== undefined) {
    if (compareVersions(given, least) >= 0) return given;
    throw new QuorateError('refused', `--via ${given}: etcd ${next} needs ${least} or newer on every member before`, {
      hint: `--via ${stopOver(minor, new Map())}`,
    });
  }
  const good = judgeVersion(`${minor}.0`, []).nearestGood;
  return compareVersions(good, least) < 0 ? least : good;
}

function requireNeighbours(oldest: string, newest: string): void {
  const distance = minors.indexOf(minorOf(newest)) - minors.indexOf(minorOf(oldest));
  if (distance <= 1) return;
  throw new QuorateError('refused', `members run ${oldest} and ${newest}: etcd supports neighbouring minors alone`, {
    hint: 'bring the older members to the minor between first, by hand',
  });
}

function isOlder(newest: string, to: string): QuorateError {
  return new QuorateError('refused', `etcd ${newest} runs, and ${to} is older: that is no upgrade`, {
    hint: `quorate downgrade --to ${to}; or name a newer one: quorate upgrade --to VERSION`,
  });
}

/** etcd's guide (downgrade_3_5) wants 3.4.32 or newer with a flag of its own, and every user and role deleted. */
function noWayToThreeFour(newest: string, to: string): QuorateError {
  return new QuorateError(
    'refused',
    `etcd ${newest} runs, and ${to} cannot be reached: 3.4 gets no fixes any more, its data has no form of authentication that 3.5 wrote, and etcd 3.5 has no procedure for the way down`,
    { hint: 'restore a snapshot that was taken on 3.4 into a new cluster, if it must be' },
  );
}
