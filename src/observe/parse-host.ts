/** Reads the probe's records about the machine: system, disks, addresses, account, packages. */
import type { DiskFact, HostFacts } from '../domain/facts.ts';
import { misread, type ProbeRecords, type RecordKey } from './probe-records.ts';

/** `/etc/os-release` (os-release(5)): unquoted, `like` empty where it says nothing; `unknown` without an ID. */
export function parseOs(text: string): HostFacts['os'] {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, unquoted(value));
  }
  const id = values.get('ID') ?? 'unknown';
  const like = (values.get('ID_LIKE') ?? '').split(/\s+/).filter((each) => each !== '');
  return { id, like, version: values.get('VERSION_ID') ?? '', pretty: values.get('PRETTY_NAME') ?? id };
}

/** The disks of the data dir and of libDir, in this order. */
export function parseDisks(records: ProbeRecords): readonly [DiskFact, DiskFact] {
  const lines = records.lines('disks');
  const spinning = records.get('rotational').trim().split(/\s+/);
  const readOnly = new Set(records.lines('unwritable'));
  const disk = (index: 0 | 1): DiskFact => {
    const line = lines[index] ?? '';
    const [, block, blocks, free, inodes, freeInodes] = /^(\d{1,9}) (\d+) (\d+) (\d+) (\d+)$/.exec(line) ?? [];
    if (block === undefined) throw misread(records.host, `file system line ${JSON.stringify(line)}`);
    const rotational = spinning[index];
    return {
      sizeBytes: bytes(block, blocks),
      freeBytes: bytes(block, free),
      // File systems that make inodes as they need them (btrfs) count none.
      freeInodes: Number(inodes) === 0 ? Number.MAX_SAFE_INTEGER : Number(freeInodes),
      rotational: rotational === '1' ? true : rotational === '0' ? false : undefined,
      readOnly: readOnly.has(records.get(index === 0 ? 'data-dir' : 'lib-dir')),
    };
  };
  return [disk(0), disk(1)];
}

/** From `ip -o addr`, or from the kernel's tables where there is no `ip`. */
export function parseAddresses(records: ProbeRecords): readonly string[] {
  const listed = records.lines('addresses').map((line) => /^\d+: \S+\s+inet6? ([0-9a-fA-F.:]+)/.exec(line)?.[1]);
  const tables = records.get('address-tables');
  const found = [...listed, ...localFour(tables), ...localSix(tables)].filter((each) => each !== undefined);
  return [...new Set(found)].filter((each) => !isOwn(each)).sort();
}

/** Number of the running systemd, 0 for none. */
export function parseSystemdVersion(records: ProbeRecords): number {
  return Number(/^systemd (\d{1,5})/.exec(records.get('systemd-version'))?.[1] ?? 0);
}

/** The account's line of passwd(5), its primary group's name. */
export function parseUser(records: ProbeRecords): HostFacts['user'] {
  const fields = records.get('user').split(':');
  if (fields.length === 1) return { exists: false, group: '', shell: '' };
  if (fields.length !== 7) throw misread(records.host, 'the line of passwd');
  return { exists: true, group: records.get('group'), shell: fields[6] ?? '' };
}

/** Begins a line of the record of packages that names a data dir. */
const PACKAGE_DATA = 'data ';

/** Data dirs of a distribution's own member that hold keys. */
export function parsePackageData(records: ProbeRecords): readonly string[] {
  const found = records.lines('packages').filter((line) => line.startsWith(PACKAGE_DATA));
  return found.map((line) => line.slice(PACKAGE_DATA.length));
}

/** Installed packages; dpkg's status says `h` for held, and so does the probe for a version-locked one of rpm. */
export function parsePackages(records: ProbeRecords): HostFacts['packages'] {
  return records
    .lines('packages')
    .filter((line) => !line.startsWith(PACKAGE_DATA))
    .map((line) => {
      const [, wanted, state, name, version] = /^([a-z])([a-zA-Z])\S* +(\S+) (\S*)$/.exec(line) ?? [];
      if (name === undefined) throw misread(records.host, `package line ${JSON.stringify(line)}`);
      return { name, version: version ?? '', held: wanted === 'h', installed: state === 'i' };
    })
    .filter((each) => each.installed)
    .map(({ name, version, held }) => ({ name, version, held }));
}

/** A record that must be a number without a sign. */
export function parseCount(records: ProbeRecords, key: RecordKey): number {
  const text = records.get(key);
  if (!/^\d{1,15}$/.test(text)) throw misread(records.host, `${key} is ${JSON.stringify(text.slice(0, 80))}`);
  return Number(text);
}

/** The host's clock, epoch milliseconds; busybox knows no fraction. */
export function parseClock(records: ProbeRecords): number {
  const [, seconds, fraction] = /^(\d{1,12})\.(\d{9}|%?N?)$/.exec(records.get('clock')) ?? [];
  if (seconds === undefined)
    throw misread(records.host, `clock is ${JSON.stringify(records.get('clock').slice(0, 80))}`);
  return Number(seconds) * 1000 + (/^\d{9}$/.test(fraction ?? '') ? Math.floor(Number(fraction) / 1e6) : 500);
}

/** How long the script ran, by the kernel's uptime. */
export function parseElapsedMs(records: ProbeRecords): number {
  const [, began, ended] = /^(\d{1,10}\.\d\d) (\d{1,10}\.\d\d)$/.exec(records.get('uptimes')) ?? [];
  if (began === undefined)
    throw misread(records.host, `uptimes are ${JSON.stringify(records.get('uptimes').slice(0, 80))}`);
  return Math.max(0, (Number(ended) - Number(began)) * 1000);
}

function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return (inner ?? value).replace(/\\([\\"$`'])/g, '$1');
}

function bytes(block: string, blocks: string | undefined): number {
  return Number(block) * Number(blocks);
}

/** `/proc/net/fib_trie`: an address stands in the line above `/32 host LOCAL`. */
function localFour(tables: string): readonly string[] {
  return [...tables.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n[^\n]*\/32 host LOCAL/g)].flatMap((each) => each[1] ?? []);
}

/** `/proc/net/if_inet6`: 32 hexadecimal digits and five more columns. */
function localSix(tables: string): readonly string[] {
  return [...tables.matchAll(/^([0-9a-f]{32})(?: +\S+){5}$/gm)].map((each) => ipv6(each[1] ?? ''));
}

/** 32 hexadecimal digits as an IPv6 address in its canonical form. */
export function ipv6(digits: string): string {
  const groups = digits.match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

function isOwn(address: string): boolean {
  return address === '127.0.0.1' || address === '::1' || /^fe[89ab][0-9a-f]:/i.test(address);
}
