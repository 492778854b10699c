/** Text to Inventory: every complaint at once, each with its place. */
import type { Document } from 'yaml';
import { checkEtcdKeys } from '../domain/etcd-keys.ts';
import { nearest } from '../domain/nearest.ts';
import { knownMinor, minors } from '../domain/version.ts';
import { type Complaint, complaintError, leadsTo, quote } from './complaint.ts';
import { explainIssue, type Finding, valueAt } from './explain.ts';
import { findSpot } from './place.ts';
import { checkRules, findWarnings } from './rules.ts';
import { type InventorySettings, inventorySchema, ownEtcdKeys, type Parts, sections } from './schema.ts';
import { controllerSchema } from './schema-controllers.ts';
import { type Environment, nameOfFilled, type Substitution, substitute } from './substitute.ts';
import { parseText } from './syntax.ts';

/** Where an inventory comes from, and what its text may refer to. */
export interface InventorySource {
  /** As complaints name it: the path as given, or `<stdin>`. */
  readonly fileName: string;
  readonly env: Environment;
  /** Absolute folder that relative paths start from: the inventory's own, or the working directory for stdin. */
  readonly directory: string;
  /** Absolute home of the operator, for `~/`. */
  readonly home: string;
}

/** What the operator wrote, checked; resolveCluster makes a Cluster of it. */
export interface Inventory {
  readonly fileName: string;
  readonly directory: string;
  readonly home: string;
  readonly settings: InventorySettings;
  /** Allowed and unwise, each a sentence. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks an inventory. Throws one QuorateError `inventory` that holds every complaint (in `errors` when there are several), each
 * `FILE:LINE:COLUMN: path: what is wrong (what would be right)`; nothing else.
 */
export function parseInventory(text: string, source: InventorySource): Inventory {
  const parsed = parseText(text.startsWith('\ufeff') ? text.slice(1) : text);
  const fail = (complaints: readonly Complaint[]) => complaintError(source.fileName, complaints, parsed.locate);
  if (parsed.broken) throw fail(parsed.complaints);
  const substitution = substitute(parsed.document, source.env);
  const earlier = [...parsed.complaints, ...substitution.complaints];
  const value = toPlain(parsed.document);
  if (value === undefined) throw fail([...earlier, bomb]);
  const result = inventorySchema.safeParse(value);
  const parts = result.success ? result.data : salvage(value);
  const findings = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => explainIssue(issue, value))),
    ...checkRules(parts),
    ...checkEtcd(value),
  ];
  const place = (finding: Finding) => placeFinding(parsed.document, substitution, finding, value);
  const complaints = [...earlier, ...findings.filter(isNewTo(earlier)).map(place)];
  if (complaints.length > 0 || !result.success) throw fail(complaints);
  const { fileName, directory, home } = source;
  return { fileName, directory, home, settings: result.data, warnings: findWarnings(result.data) };
}

const bomb: Complaint = { path: [], offset: 0, message: 'expands to too much through its aliases (write the values)' };

/** The content as plain data; undefined where aliases multiply beyond reason. */
function toPlain(document: Document): NonNullable<unknown> | undefined {
  try {
    return document.toJS({ maxAliasCount: 10_000 }) ?? {};
  } catch {
    return undefined; // the only thing that it throws, once every alias has an anchor
  }
}

/** The sections and controllers that are right by themselves, so that rules over several keys are checked even when others are wrong. */
function salvage(value: unknown): Parts {
  const controllers = Object.entries(valueAt(value, ['controllers']) ?? {}).flatMap(([name, settings]) => {
    const result = controllerSchema.safeParse(settings);
    return result.success ? [[name, result.data] as const] : [];
  });
  return {
    cluster: sections.cluster.safeParse(valueAt(value, ['cluster'])).data,
    controllers: Object.fromEntries(controllers),
    ssh: sections.ssh.safeParse(valueAt(value, ['ssh'])).data,
    ports: sections.ports.safeParse(valueAt(value, ['ports'])).data,
    paths: sections.paths.safeParse(valueAt(value, ['paths'])).data,
    etcd: sections.etcd.safeParse(valueAt(value, ['etcd'])).data,
    pki: sections.pki.safeParse(valueAt(value, ['pki'])).data,
    binaries: sections.binaries.safeParse(valueAt(value, ['binaries'])).data,
  };
}

/** etcd's own keys, against the release's table: as soon as the minor is known, whatever else is wrong. */
function checkEtcd(value: unknown): readonly Finding[] {
  const version = String(valueAt(value, ['cluster', 'version']));
  const etcd = valueAt(value, ['etcd']);
  const known = knownMinor(version) ?? minors.find((minor) => minor === version);
  if (known === undefined || typeof etcd !== 'object' || etcd === null || Array.isArray(etcd)) return [];
  const keys = Object.fromEntries(Object.entries(etcd).filter(([key]) => !isOwnEtcdKey(key)));
  return checkEtcdKeys(version, keys).map(({ path, problem, remedy }) => {
    const own = path[0] === undefined ? undefined : nearest(path[0], ownEtcdKeys);
    const message = own === undefined ? `${problem} (${remedy})` : `is no key of etcd (did you mean ${own}?)`;
    return { path: ['etcd', ...path], message, subject: 'none', at: 'key' };
  });
}

function isOwnEtcdKey(key: string): boolean {
  return ownEtcdKeys.some((each) => each === key);
}

/** Whether nothing has been said yet about the same value. */
function isNewTo(complaints: readonly Complaint[]): (finding: Finding) => boolean {
  const told = complaints.filter((complaint) => complaint.path.length > 0);
  return (finding) =>
    !told.some((complaint) => leadsTo(finding.path, complaint.path) && leadsTo(complaint.path, finding.path));
}

function placeFinding(document: Document, substitution: Substitution, finding: Finding, value: unknown): Complaint {
  const { path, message, subject } = finding;
  const spot = findSpot(document, path);
  const offset = finding.at === 'key' ? spot.keyOffset : spot.offset;
  switch (subject) {
    case 'none':
      return { path, message, offset };
    case 'key':
      return { path, message: `${quote(String(path.at(-1)))} ${message}`, offset };
    case 'hidden':
      return { path, message: `${nameOfFilled(substitution, spot.value) ?? 'this'} ${message}`, offset };
    case 'value': {
      const shown = nameOfFilled(substitution, spot.value) ?? show(valueAt(value, path));
      return { path, message: `${shown} ${message}`, offset };
    }
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? quote(value) : String(value);
}
