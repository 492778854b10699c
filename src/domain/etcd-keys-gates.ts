/** Feature gates: one string from 3.6 on, boolean keys before; either form is understood for every minor. */
import {
  type Complaint,
  type EtcdKeyProblem,
  hasGates,
  isBefore,
  lateness,
  type Release,
  since,
} from './etcd-keys-release.ts';
import { featureGates } from './etcd-keys-table.ts';
import type { EtcdValue } from './etcd-keys-values.ts';
import { nearest } from './nearest.ts';

/** What is read so far. */
export interface Reading {
  readonly settings: Record<string, EtcdValue>;
  readonly gates: Map<string, boolean>;
  /** The operator's word for each setting, by its newest name. */
  readonly writtenAs: Map<string, string>;
  readonly problems: EtcdKeyProblem[];
}

/** The gate that a boolean key of an older minor stands for; undefined for any other key. */
export function gateOfKey(key: string): string | undefined {
  return Object.entries(featureGates).find(([, row]) => row.key === key)?.[0];
}

/** Reads the value of `feature-gates`: a mapping or etcd’s own `A=true,B=false`. */
export function readGates(release: Release, value: unknown, reading: Reading): void {
  const entries = typeof value === 'string' ? value.split(',').map((pair) => pair.split('=')) : gateEntries(value);
  if (entries === undefined) {
    const problem = 'must be a mapping of gates, or one string';
    reading.problems.push({ path: ['feature-gates'], problem, remedy: 'write {InitialCorruptCheck: true}' });
    return;
  }
  for (const [name, set] of entries) {
    const on = set === 'true' ? true : set === 'false' ? false : set;
    readGate(release, String(name).trim(), on, ['feature-gates', String(name).trim()], reading);
  }
}

function gateEntries(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
}

/** Reads one gate. */
export function readGate(
  release: Release,
  gate: string,
  value: unknown,
  path: readonly string[],
  reading: Reading,
): void {
  const problem = gateProblem(release, gate, value) ?? (reading.gates.has(gate) ? twice(gate) : undefined);
  if (problem !== undefined) reading.problems.push({ path, ...problem });
  else reading.gates.set(gate, value === true);
}

function gateProblem(release: Release, gate: string, value: unknown): Complaint | undefined {
  const row = Object.hasOwn(featureGates, gate) ? featureGates[gate] : undefined;
  if (row === undefined) {
    const near = nearest(gate, Object.keys(featureGates));
    const remedy = near === undefined ? `gates are ${Object.keys(featureGates).join(', ')}` : `did you mean ${near}?`;
    return { problem: 'is no feature gate of etcd', remedy };
  }
  if (typeof value !== 'boolean') return { problem: 'must be true or false', remedy: 'write true or false' };
  if (hasGates(release.minor)) return isBefore(release.minor, row.from) ? since(release, row.from) : undefined;
  if (row.key === undefined || row.keyFrom === undefined) return since(release, row.from);
  if (isBefore(release.minor, row.keyFrom)) return since(release, row.keyFrom);
  return lateness(release, row.firstPatch);
}

const twice = (gate: string): Complaint => ({ problem: `sets the gate ${gate} twice`, remedy: 'keep one of the two' });

/** 3.6 and newer: one sorted string; older minors: the boolean keys. Setting both is an error in 3.6. */
export function gateSettings(
  release: Release,
  gates: ReadonlyMap<string, boolean>,
): Readonly<Record<string, string | boolean>> {
  const sorted = [...gates].sort(([left], [right]) => (left < right ? -1 : 1));
  if (sorted.length === 0) return {};
  if (hasGates(release.minor)) return { 'feature-gates': sorted.map(([gate, on]) => `${gate}=${on}`).join(',') };
  return Object.fromEntries(
    sorted.flatMap(([gate, on]) => [featureGates[gate]?.key ?? []].flat().map((key) => [key, on])),
  );
}
