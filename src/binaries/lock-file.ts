/** `quorate.lock.yml`: the sha256 of every release tarball that was ever used, kept beside the inventory and enforced. */
import { readFile } from 'node:fs/promises';
import { parseDocument, stringify } from 'yaml';
import type { Architecture } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import { compareVersions, parseVersion } from '../domain/version.ts';
import { replaceFile } from '../files/replace.ts';
import { whileMaking } from './cache-lock.ts';

import { sha256Shape } from './sums.ts';

/** By version, then by architecture. */
export type ReleaseLock = Readonly<Record<string, Readonly<Record<string, string>>>>;

const header = `# Written by quorate: the sha256 of the etcd release tarballs in use. Commit it beside the inventory. A tarball that is
# offered with other bytes is refused; delete its line to accept the next one.
`;

/** What the lock file says; nothing where there is none. Throws QuorateError `inventory` for a file that is not one. */
export async function readReleaseLock(path: string): Promise<ReleaseLock> {
  try {
    return parseReleaseLock(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return {};
    throw error;
  }
}

/** Adds one entry, atomically and side by side with other processes. An entry that is there already is not changed. */
export async function addToReleaseLock(
  path: string,
  entry: { readonly version: string; readonly architecture: Architecture; readonly sha256: string },
  signal: AbortSignal,
): Promise<ReleaseLock> {
  return whileMaking(path, signal, async (scratch) => {
    const lock = await readReleaseLock(path);
    const { version, architecture, sha256 } = entry;
    if (lock[version]?.[architecture] !== undefined) return lock;
    const next = { ...lock, [version]: { ...lock[version], [architecture]: sha256 } };
    await replaceFile(path, formatReleaseLock(next), { mode: 0o644, scratch });
    return next;
  });
}

/** Reads the text of a lock file strictly: what it does not say clearly would not be enforced. */
export function parseReleaseLock(text: string, path: string): ReleaseLock {
  const document = parseDocument(text, { version: '1.2' });
  const content: unknown = document.errors.length === 0 ? document.toJS({ maxAliasCount: 0 }) : undefined;
  const versions = isMapping(content) ? content['versions'] : undefined;
  if (!isMapping(content) || Object.keys(content).join() !== 'versions' || !isMapping(versions)) {
    throw malformed(path, 'must hold `versions:` and nothing else');
  }
  const entries = Object.entries(versions).map(([version, sums]) => {
    if (parseVersion(version) === undefined || !isMapping(sums)) throw malformed(path, `versions.${version}`);
    return [version, readSums(sums, `${path}: versions.${version}`)] as const;
  });
  return Object.fromEntries(entries);
}

function readSums(sums: Readonly<Record<string, unknown>>, where: string): Readonly<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [architecture, sum] of Object.entries(sums)) {
    if (typeof sum !== 'string' || !sha256Shape.test(sum)) throw malformed(where, `${architecture} is no sha256`);
    read[architecture] = sum;
  }
  return read;
}

/** Versions in order, architectures by name. */
function formatReleaseLock(lock: ReleaseLock): string {
  const versions = Object.entries(lock)
    .sort(([left], [right]) => compareVersions(left, right))
    .map(([version, sums]) => [version, Object.fromEntries(Object.entries(sums).sort())] as const);
  return `${header}${stringify({ versions: Object.fromEntries(versions) }, { lineWidth: 0 })}`;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(path: string, problem: string): QuorateError {
  return new QuorateError('inventory', `${path}: is no lock file of quorate: ${problem}`, {
    hint: 'restore it from version control; deleting it means trusting what is offered next',
  });
}
