/** Checks the operator's etcd keys against what one minor really reads, and translates them to its names and types. etcd itself ignores unknown keys without a word. */
import { QuorateError } from './errors.ts';
import { etcdDefaults } from './etcd-keys-defaults.ts';
import { gateSettings, type Reading } from './etcd-keys-gates.ts';
import { knowsName, readEtcdKeys } from './etcd-keys-read.ts';
import { type EtcdKeyProblem, type Release, readRelease } from './etcd-keys-release.ts';
import { checkTogether } from './etcd-keys-together.ts';
import type { EtcdValue } from './etcd-keys-values.ts';

type Keys = Readonly<Record<string, unknown>>;
type Settings = Readonly<Record<string, EtcdValue>>;

/**
 * Everything wrong with `keys` for this version (`3.6.16`, or `3.6` for the newest patch): each key by itself in the order
 * given, then rules over several keys, quorate's defaults counted in. Empty when they hold.
 */
export function checkEtcdKeys(version: string, keys: Keys): readonly EtcdKeyProblem[] {
  const release = readRelease(version);
  const own = readEtcdKeys(release, keys);
  return [...own.problems, ...checkTogether(overDefaults(release, own))];
}

/** The keys as this version's file must have them: its names, its types. Throws QuorateError `inventory` for what {@link checkEtcdKeys} finds. */
export function translateEtcdKeys(version: string, keys: Keys): Settings {
  const release = readRelease(version);
  return settingsOf(release, readChecked(version, keys));
}

/** Like {@link translateEtcdKeys}, over quorate's defaults; sorted by key. Feature gates are merged one by one. */
export function effectiveEtcdKeys(version: string, keys: Keys): Settings {
  const release = readRelease(version);
  const settings = settingsOf(release, overDefaults(release, readChecked(version, keys)));
  return Object.fromEntries(Object.entries(settings).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Whether the name is a key that this version reads from its file, under this very name. */
export function knowsEtcdKey(version: string, name: string): boolean {
  return knowsName(readRelease(version), name);
}

function readChecked(version: string, keys: Keys): Reading {
  const [first] = checkEtcdKeys(version, keys);
  if (first === undefined) return readEtcdKeys(readRelease(version), keys);
  throw new QuorateError('inventory', `etcd.${first.path.join('.')}: ${first.problem}`, { hint: first.remedy });
}

/** A default that an old patch release does not have is left out. */
function overDefaults(release: Release, own: Reading): Reading {
  const defaults = readEtcdKeys(release, etcdDefaults(release.minor));
  return {
    ...own,
    settings: { ...defaults.settings, ...own.settings },
    gates: new Map([...defaults.gates, ...own.gates]),
  };
}

function settingsOf(release: Release, { settings, gates }: Reading): Settings {
  return { ...settings, ...gateSettings(release, gates) };
}
