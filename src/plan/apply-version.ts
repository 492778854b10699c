/** The part of apply that changes which etcd runs: the way of upgrade and downgrade, as the first stages of a plan for everything. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { openGoal } from '../domain/goal.ts';
import { memberList } from '../domain/health.ts';
import { memberOf } from '../domain/membership.ts';
import type { Stage } from '../domain/plan.ts';
import { compareVersions, knownMinor, minorOf } from '../domain/version.ts';
import type { ConvergePart } from './converge.ts';
import type { Roster } from './roster.ts';
import { planVersion } from './upgrade.ts';
import type { View } from './view.ts';

export interface VersionChangeWish {
  readonly parts: readonly ConvergePart[];
  readonly roster: Roster;
  /** Whether `--member` names some of the members alone. */
  readonly some: boolean;
  /** IDs of hazards, besides those of the inventory. */
  readonly accepted: readonly string[];
}

export interface VersionChange {
  readonly stages: readonly Stage[];
  readonly warnings: readonly string[];
  /** What the turns behind it still bring: a change of version brings settings and units with it. */
  readonly parts: readonly ConvergePart[];
}

/**
 * The stages of `upgrade` (within a minor those of `downgrade` too) where the inventory names another version than runs; none where it does not. Some
 * members alone are taken to another patch release without them.
 * @throws QuorateError refused: an older minor, some members alone to another minor, members that come or go meanwhile, and what upgrades refuse
 */
export function versionChange(view: View, wish: VersionChangeWish): VersionChange {
  const { cluster, pki } = view;
  const { parts, roster, some, accepted } = wish;
  const running = runningOf(view, roster.members);
  const open = openGoal(pki.goals, 'version');
  const own = open?.to === cluster.version ? open : undefined;
  if (own === undefined && running.every(({ version }) => version === cluster.version)) return nothing(wish);
  if (!parts.includes('version') || some || cluster.binaries.kind === 'system') {
    requireOneMinor(view, running, wish);
    return nothing(wish);
  }
  requireSettled(view, roster, running);
  const newer = running.find(({ version }) => compareVersions(version, cluster.version) > 0);
  if (own === undefined && newer !== undefined) requireNoOlderMinor(view, newer);
  const way = own?.way ?? (newer === undefined ? 'up' : 'down');
  // What it costs is asked of the whole plan.
  const { stages, warnings } = planVersion(view, {
    ...{ way, to: cluster.version, via: own?.via ?? [], abort: false, allowDowntime: true },
    accepted: [...cluster.acceptHazards, ...accepted],
  });
  const rolls = stages.some((each) => each.mode === 'rolling');
  return { stages, warnings, parts: rolls ? parts.filter((each) => each === 'certs') : parts };
}

function nothing({ parts }: VersionChangeWish): VersionChange {
  return { stages: [], warnings: [], parts };
}

interface Running {
  readonly name: string;
  readonly version: string;
}

function runningOf({ facts }: View, members: readonly string[]): readonly Running[] {
  return members.flatMap((name) => {
    const { version = '', failure } = facts.endpoints[name] ?? {};
    return failure === undefined && knownMinor(version) !== undefined ? [{ name, version }] : [];
  });
}

/** Settings in the terms of one minor are no help to a member that runs another. */
function requireOneMinor({ cluster }: View, running: readonly Running[], { parts, some }: VersionChangeWish): void {
  const other = running.find(({ version }) => minorOf(version) !== minorOf(cluster.version));
  if (other === undefined || parts.every((each) => each === 'certs')) return;
  const { name, version } = other;
  throw new QuorateError(
    'refused',
    `${name}: runs etcd ${version}, and the inventory wants ${cluster.version}: another minor`,
    {
      host: name,
      hint: some
        ? 'a minor is for all members: run it without --member'
        : 'quorate upgrade -i FILE goes there one minor at a time, with a snapshot first; so does apply without --only, or with --only version',
    },
  );
}

/** A newcomer would start with another version than the members run, one that leaves would keep its own, and settings of the new version name the new address. */
function requireSettled({ cluster, facts }: View, roster: Roster, running: readonly Running[]): void {
  const list = memberList(facts);
  const leaving = (cluster.departing ?? []).filter((each) => memberOf(list, each)).map((each) => each.name);
  const coming = [...roster.outsiders, ...roster.arriving];
  const [first] = running;
  const moving = roster.moved.map(({ name }) => name);
  if (coming.length + leaving.length + moving.length === 0 || first === undefined) return;
  const what = [
    ...(coming.length > 0 ? [`${coming.join(', ')} to become a member`] : []),
    ...(leaving.length > 0 ? [`${leaving.join(', ')} to leave`] : []),
    ...(moving.length > 0 ? [`${moving.join(', ')} to move to another address`] : []),
  ];
  throw new QuorateError(
    'refused',
    `the inventory wants etcd ${cluster.version} where ${first.version} runs, and ${what.join(', and ')}: one after the other`,
    {
      hint: `write cluster.version: ${first.version} until members have come, gone and moved, and the new version then`,
    },
  );
}

/** A bad merge must not take a cluster to what it came from. */
function requireNoOlderMinor({ cluster }: View, { name, version }: Running): void {
  if (minorOf(version) === minorOf(cluster.version)) return;
  throw new QuorateError(
    'refused',
    `${name}: runs etcd ${version}, and the inventory wants ${cluster.version}: apply never goes to an older minor`,
    {
      host: name,
      hint: `write cluster.version: ${version}; or go there by name: quorate downgrade --to ${cluster.version} -i FILE`,
    },
  );
}
