/** What is written down about a lab before anything of it is made, so that whatever was made can be found and removed. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { QuorateError } from '../domain/errors.ts';
import { replaceFile } from '../files/replace.ts';

const hostSchema = z.strictObject({
  name: z.string(),
  /** The machine's name for systemd-nspawn, at most 12 characters so that `vb-NAME` is its network interface. */
  machine: z.string(),
  ipv4: z.string(),
  ipv6: z.string(),
});

const stateSchema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  id: z.string(),
  /** `starting` until every host answered once: a lab found like that is taken down and made anew. */
  phase: z.enum(['starting', 'up']),
  bridge: z.string(),
  subnet: z.strictObject({ ipv4Prefix: z.string(), ipv6Prefix: z.string() }),
  /** The base image's folder, the read-only layer of every host. */
  image: z.string(),
  memoryBytes: z.optional(z.int().check(z.positive())),
  hosts: z.array(hostSchema),
});

/** One host as recorded. */
export type HostRecord = Readonly<z.infer<typeof hostSchema>>;

/** A lab as recorded in `lab.json`. */
export type LabRecord = Readonly<z.infer<typeof stateSchema>>;

/** Where everything about a lab is. */
export interface LabPlace {
  readonly name: string;
  /** Six hexadecimal digits that follow from the folder: they name bridge, machines and cgroups, even without a record. */
  readonly id: string;
  readonly folder: string;
}

/** Names that are safe as folder, host name and DNS label (RFC 1123). */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** The place of a lab under `root` (default `.lab` in the current folder). Throws `usage` for a name that is no DNS label. */
export function labPlace(name: string, root = '.lab'): LabPlace {
  assertName(name, 'lab');
  const folder = join(resolve(root), name);
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 6);
  return { name, id, folder };
}

/** Throws `usage` for a name that is no DNS label of at most 32 characters. */
export function assertName(name: string, what: 'lab' | 'host'): void {
  if (namePattern.test(name)) return;
  throw new QuorateError(
    'usage',
    `${JSON.stringify(name)}: a ${what}'s name has 1 to 32 of a-z, 0-9 and inner hyphens`,
  );
}

/** The folder of one host's layers, console and process record. */
export function hostFolder(place: LabPlace, host: string): string {
  return join(place.folder, 'hosts', host);
}

/** The record of a lab; undefined when there is none. Throws `refused` for one that this version cannot read. */
export async function readRecord(place: LabPlace): Promise<LabRecord | undefined> {
  const text = await readFile(recordFile(place), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseRecord(text, recordFile(place));
}

/** Parses `lab.json`. Throws `refused`, naming `file`, for anything that is no record of this format. */
export function parseRecord(text: string, file: string): LabRecord {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new QuorateError('refused', `${file}: not a lab's record of format 1`, {
      cause,
      hint: `quorate lab down ${basename(resolve(file, '..'))} removes the lab nevertheless`,
    });
  }
}

/** Writes the record, whole or not at all. */
export async function writeRecord(place: LabPlace, record: LabRecord): Promise<void> {
  await mkdir(place.folder, { recursive: true, mode: 0o755 });
  const text = `${JSON.stringify(stateSchema.parse(record), null, 2)}\n`;
  await replaceFile(recordFile(place), text, { mode: 0o644 });
}

/** The names of all folders under `root` that could be labs, sorted. */
export async function labNames(root = '.lab'): Promise<string[]> {
  const entries = await readdir(resolve(root), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && namePattern.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

function recordFile(place: LabPlace): string {
  return join(place.folder, 'lab.json');
}
