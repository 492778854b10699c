/** Judges a release of etcd by the table of known hazards. */
import { QuorateError } from './errors.ts';
import { type Hazard, hazardRows, preReleaseHazard } from './hazards-table.ts';
import { knownMinor, type Minor, minors, parseVersion } from './version.ts';

/** Every ID that can be accepted, sorted. */
export const hazardIds: readonly string[] = [...hazardRows, preReleaseHazard].map(({ id }) => id).sort();

/** What is known against a release (`3.5.16`), in the table's order; empty when nothing is. */
export function hazardsOf(version: string): readonly Hazard[] {
  const parsed = parseVersion(version);
  const minor = knownMinor(version);
  if (parsed !== undefined && parsed.preRelease !== '') return [preReleaseHazard];
  if (parsed === undefined || minor === undefined) return [];
  return hazardRows.filter(({ affected }) => {
    const [first, last] = affected[minor] ?? [1, 0];
    return first <= parsed.patch && parsed.patch <= last;
  });
}

export interface VersionJudgement {
  /** Hazards that forbid the release. */
  readonly refused: readonly Hazard[];
  /** Hazards to tell and go on: mild ones, and those that were accepted. */
  readonly warned: readonly Hazard[];
  /** The nearest release of the same minor that nothing forbids; the version itself where nothing does. */
  readonly nearestGood: string;
}

/** Judges a release, given the IDs of the hazards that the operator accepts. */
export function judgeVersion(version: string, accepted: readonly string[]): VersionJudgement {
  const hazards = hazardsOf(version);
  const forbidding = hazards.filter(({ severity }) => severity === 'refuse');
  const refused = forbidding.filter(({ id }) => !accepted.includes(id));
  return {
    refused,
    warned: hazards.filter((hazard) => !refused.includes(hazard)),
    nearestGood:
      forbidding.length === 0 ? version : firstGood(knownMinor(version) ?? minors[minors.length - 1] ?? '3.7'),
  };
}

/** The warnings of a release that may run; throws QuorateError `refused`, which names every hazard, its ID and the nearest good release. */
export function requireSafeVersion(version: string, accepted: readonly string[]): readonly string[] {
  const { refused, warned, nearestGood } = judgeVersion(version, accepted);
  if (refused.length === 0) return warned.map((hazard) => `etcd ${version}: ${hazard.reason} (${hazard.id})`);
  const reasons = refused.map((hazard) => `${hazard.reason} (${hazard.id}, ${hazard.source})`).join('; ');
  const flags = refused.map(({ id }) => `--accept-hazard ${id}`).join(' ');
  throw new QuorateError('refused', `etcd ${version} is known to be dangerous: ${reasons}`, {
    hint: `use ${nearestGood}, or accept by name: ${flags}`,
  });
}

/** The lowest patch of a minor from which on nothing forbids. */
function firstGood(minor: Minor): string {
  const lasts = hazardRows.map(({ severity, affected }) => (severity === 'refuse' ? (affected[minor]?.[1] ?? -1) : -1));
  return `${minor}.${Math.max(...lasts) + 1}`;
}
