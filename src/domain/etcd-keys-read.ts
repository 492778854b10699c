/** Reads the operator's etcd keys one by one: finds the name that a minor knows them by, and the value in its form. */
import { gateOfKey, type Reading, readGate, readGates } from './etcd-keys-gates.ts';
import { ownedKeys } from './etcd-keys-owned.ts';
import {
  type Complaint,
  type EtcdKeyProblem,
  hasGates,
  isBefore,
  lateness,
  type Release,
  since,
} from './etcd-keys-release.ts';
import { type EtcdKeyRow, etcdKeyRows } from './etcd-keys-table.ts';
import { readEtcdValue, readOrigins } from './etcd-keys-values.ts';
import { nearest } from './nearest.ts';
import type { Minor } from './version.ts';

/** Every key, each by itself. */
export function readEtcdKeys(release: Release, keys: Readonly<Record<string, unknown>>): Reading {
  const reading: Reading = { settings: {}, gates: new Map(), writtenAs: new Map(), problems: [] };
  for (const [key, value] of Object.entries(keys)) readKey(release, key, value, reading);
  return reading;
}

/** Whether the name is a key that this release reads from its file, under this very name. */
export function knowsName(release: Release, name: string): boolean {
  const canonical = canonicalName(name);
  const row = canonical === undefined ? undefined : etcdKeyRows[canonical];
  if (canonical !== undefined && row !== undefined) return nameIn(release.minor, canonical, row) === name;
  if (name === 'feature-gates') return hasGates(release.minor);
  return !hasGates(release.minor) && gateOfKey(name) !== undefined;
}

function readKey(release: Release, key: string, value: unknown, reading: Reading): void {
  const gate = gateOfKey(key);
  const canonical = canonicalName(key);
  const row = canonical === undefined ? undefined : etcdKeyRows[canonical];
  if (gate !== undefined) readGate(release, gate, value, [key], reading);
  else if (key === 'feature-gates') readGates(release, value, reading);
  else if (canonical === undefined || row === undefined) reading.problems.push(unknownKey(key));
  else readRow(release, { key, canonical, row, value }, reading);
}

function readRow(
  release: Release,
  { key, canonical, row, value }: { key: string; canonical: string; row: EtcdKeyRow; value: unknown },
  reading: Reading,
): void {
  const name = nameIn(release.minor, canonical, row);
  const absent = name === undefined ? absence(release, row) : lateness(release, row.firstPatch);
  const twin = reading.writtenAs.get(canonical);
  reading.writtenAs.set(canonical, key);
  if (absent !== undefined) {
    reading.problems.push({ path: [key], ...absent });
    return;
  }
  if (twin !== undefined) {
    reading.problems.push({ path: [key], problem: `is the same setting as ${twin}`, remedy: `keep only ${name}` });
    return;
  }
  const read = row.origins === true ? readOrigins(value) : readEtcdValue(row.type, value);
  if ('problem' in read) reading.problems.push({ path: [key], ...read });
  else if (name !== undefined) reading.settings[name] = read.value;
}

/** The newest name of a setting that is given by any of its names. */
function canonicalName(key: string): string | undefined {
  if (Object.hasOwn(etcdKeyRows, key)) return key;
  const plain = key.replace(/^experimental-/, '');
  if (Object.hasOwn(etcdKeyRows, plain) && etcdKeyRows[plain]?.experimentalFrom !== undefined) return plain;
  return Object.entries(etcdKeyRows).find(([, row]) => row.experimentalName === key)?.[0];
}

/** The name that this minor reads; undefined where it has no such key. */
function nameIn(minor: Minor, canonical: string, row: EtcdKeyRow): string | undefined {
  if (row.until !== undefined && isBefore(row.until, minor)) return undefined;
  if (!isBefore(minor, row.from ?? '3.4')) return canonical;
  if (row.experimentalFrom === undefined || isBefore(minor, row.experimentalFrom)) return undefined;
  return row.experimentalName ?? `experimental-${canonical}`;
}

function unknownKey(key: string): EtcdKeyProblem {
  const remedy = Object.hasOwn(ownedKeys, key) ? ownedKeys[key] : undefined;
  if (remedy !== undefined) return { path: [key], problem: 'is not set here', remedy };
  const near = nearest(key, [...Object.keys(etcdKeyRows), ...Object.keys(ownedKeys), 'feature-gates']);
  const problem = 'is no key of etcd’s configuration file, and etcd would ignore it without a word';
  return { path: [key], problem, remedy: near === undefined ? 'remove the line' : `did you mean ${near}?` };
}

function absence(release: Release, row: EtcdKeyRow): Complaint {
  if (row.until !== undefined && isBefore(row.until, release.minor)) {
    return { problem: `was removed after etcd ${row.until}`, remedy: 'remove the line' };
  }
  return since(release, row.experimentalFrom ?? row.from ?? '3.4');
}
