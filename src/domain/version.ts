/** etcd versions: parsing, ordering, and the minors that quorate knows. */
import { QuorateError } from './errors.ts';

/** The minors whose configuration, hazards and upgrades quorate knows, oldest first. */
export const minors = ['3.4', '3.5', '3.6', '3.7'] as const;
export type Minor = (typeof minors)[number];

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `rc.0` of `3.6.0-rc.0`; '' for a release. */
  readonly preRelease: string;
  /** As written, without `v`: `3.6.16`. */
  readonly text: string;
}

const shape = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(?:-([0-9A-Za-z.-]{1,64}))?$/;

/** Reads `3.6.16` or `3.6.0-rc.0` (no leading `v`); undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, preRelease] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), preRelease: preRelease ?? '', text };
}

/** Negative, 0 or positive as `left` is older than, the same as or newer than `right`; a pre-release is older than its release. */
export function compareVersions(left: string, right: string): number {
  const a = requireVersion(left);
  const b = requireVersion(right);
  const numbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (numbers !== 0 || a.preRelease === b.preRelease) return numbers;
  if (a.preRelease === '') return 1;
  if (b.preRelease === '') return -1;
  return a.preRelease.localeCompare(b.preRelease, 'en', { numeric: true });
}

/** The minor of a version, `3.6`, or undefined where quorate does not know that minor or the text is no version. */
export function knownMinor(version: string): Minor | undefined {
  const parsed = parseVersion(version);
  return minors.find((minor) => minor === `${parsed?.major}.${parsed?.minor}`);
}

/** The minor of a version, `3.6`; throws QuorateError `inventory` where {@link knownMinor} knows none. */
export function minorOf(version: string): Minor {
  const minor = knownMinor(version);
  if (minor !== undefined) return minor;
  throw new QuorateError('inventory', `etcd ${version} is not one that quorate knows`, {
    hint: `write a version of ${minors[0]} to ${minors[minors.length - 1]} in full, without v: 3.6.16`,
  });
}

function requireVersion(text: string): Version {
  const version = parseVersion(text);
  if (version !== undefined) return version;
  throw new QuorateError('inventory', `${JSON.stringify(text)} is no version of etcd`, { hint: 'write it as 3.6.16' });
}
