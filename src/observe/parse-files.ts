/** Reads the probe's records about files: inodes, hashes, link targets, texts. */
import type { FileFact } from '../domain/facts.ts';
import { TEXT_LIMIT_BYTES } from './probe-body.ts';
import { misread, type ProbeRecords } from './probe-records.ts';

export interface ParsedFiles {
  readonly files: Readonly<Record<string, FileFact>>;
  readonly certificates: Readonly<Record<string, string>>;
  readonly texts: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, string>>;
  readonly tooLong: readonly string[];
}

interface Inode {
  readonly type: number;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
}

/** Facts of every path that exists among those that the probe looked at. `*.crt` are certificates, `*.crl` lists (base64), other texts are texts. */
export function parseFiles(records: ProbeRecords): ParsedFiles {
  const inodes = new Map(records.lines('stats').map((line) => parseInode(line, records.host)));
  const hashes = new Map(records.lines('hashes').map((line) => parseHash(line, records.host)));
  const targets = parseTargets(records);
  const files: Record<string, FileFact> = {};
  for (const [path, inode] of inodes) files[path] = fileFact(inode, hashes.get(path) ?? '', targets.get(path));
  const all = parseContents(records, inodes);
  const contents = all.filter((each) => each.whole);
  const pick = (wanted: ContentKind, encoding: 'utf8' | 'base64') =>
    Object.fromEntries(
      contents.flatMap(({ path, bytes }) => (contentKind(path) === wanted ? [[path, bytes.toString(encoding)]] : [])),
    );
  return {
    files,
    certificates: pick('certificate', 'utf8'),
    texts: pick('text', 'utf8'),
    lists: pick('list', 'base64'),
    tooLong: all.filter((each) => !each.whole).map(({ path }) => path),
  };
}

/** A line of `INODE_FORMAT`. */
const inodeLine = /^([0-9a-f]{4}) ([0-7]{1,4}) (\S+) (\S+) (\d{1,15}) \d+ [^|]+\|(\/.*)$/;

function parseInode(line: string, host: string): readonly [string, Inode] {
  const [, raw, mode, owner, group, size, path] = inodeLine.exec(line) ?? [];
  if (raw === undefined || mode === undefined || path === undefined) throw misread(host, `stat line ${show(line)}`);
  return [
    path,
    {
      type: Number.parseInt(raw, 16) & 0xf000,
      mode: mode.padStart(4, '0'),
      owner: owner ?? '',
      group: group ?? '',
      sizeBytes: Number(size),
    },
  ];
}

function fileFact(inode: Inode, sha256: string, target: string | undefined): FileFact {
  const { mode, owner, group } = inode;
  if (inode.type === 0x8000) return { kind: 'file', mode, owner, group, sha256 };
  if (inode.type === 0x4000) return { kind: 'directory', mode, owner, group };
  return inode.type === 0xa000 && target !== undefined ? { kind: 'link', target } : { kind: 'other' };
}

/** sha256sum escapes a name that has a backslash, and says so with one in front of the line. */
function parseHash(line: string, host: string): readonly [string, string] {
  const [, escaped, hash, name] = /^(\\?)([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
  if (hash === undefined || name === undefined) throw misread(host, `sha256sum line ${show(line)}`);
  return [escaped === '' ? name : name.replaceAll('\\\\', '\\'), hash];
}

function parseTargets(records: ProbeRecords): ReadonlyMap<string, string> {
  const links = records.lines('links');
  const targets = records.get('targets') === '' ? [] : records.get('targets').split('\n');
  if (targets.length !== links.length) throw misread(records.host, 'links and their targets differ in number');
  return new Map(links.map((path, index) => [path, targets[index] ?? '']));
}

type ContentKind = 'certificate' | 'list' | 'text';

function contentKind(path: string): ContentKind {
  if (path.endsWith('.crt')) return 'certificate';
  return path.endsWith('.crl') ? 'list' : 'text';
}

interface Content {
  readonly path: string;
  readonly bytes: Buffer;
  readonly whole: boolean;
}

function parseContents(records: ProbeRecords, inodes: ReadonlyMap<string, Inode>): readonly Content[] {
  let at = 0;
  const contents = records.lines('texts').map((path) => {
    const inode = inodes.get(path);
    if (inode === undefined) throw misread(records.host, `${path} has a text and no stat line`);
    const length = Math.min(inode.sizeBytes, TEXT_LIMIT_BYTES);
    const bytes = records.texts.subarray(at, at + length);
    at += length;
    return { path, bytes, whole: inode.sizeBytes <= TEXT_LIMIT_BYTES };
  });
  if (at !== records.texts.length) throw misread(records.host, 'a file changed while it was read');
  return contents;
}

function show(line: string): string {
  return JSON.stringify(line.slice(0, 200));
}
