/** Reads the probe's records about what runs: the unit, etcd processes, listening ports. */
import { constants } from 'node:os';
import type { EtcdProcess, Listener, UnitFact } from '../domain/facts.ts';
import { ipv6 } from './parse-host.ts';
import type { UNIT_PROPERTIES } from './probe-body.ts';
import { misread, type ProbeRecords } from './probe-records.ts';

type Property = (typeof UNIT_PROPERTIES)[number];

/** `systemctl show`; a host without systemd has a unit that is not found. */
export function parseUnit(records: ProbeRecords): UnitFact {
  const values = new Map<string, string>();
  for (const line of records.lines('unit')) {
    const equals = line.indexOf('=');
    if (equals < 1) throw misread(records.host, `systemctl line ${JSON.stringify(line.slice(0, 200))}`);
    values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const value = (key: Property) => values.get(key) ?? '';
  return {
    loadState: value('LoadState') || 'not-found',
    activeState: value('ActiveState') || 'inactive',
    subState: value('SubState') || 'dead',
    fileState: value('UnitFileState'),
    fragmentPath: value('FragmentPath'),
    dropIns: value('DropInPaths')
      .split(' ')
      .filter((each) => each !== ''),
    mainPid: number(value('MainPID')),
    invocationId: value('InvocationID'),
    restarts: number(value('NRestarts')),
    needsDaemonReload: value('NeedDaemonReload') === 'yes',
    lastExit: lastExit(value('ExecMainCode'), value('ExecMainStatus')),
  };
}

/** A record is pid, executable, lines of cgroup, an empty line, arguments. A process that ended meanwhile has none and is left out. */
export function parseProcesses(records: ProbeRecords): readonly EtcdProcess[] {
  return records.processes
    .map((text) => {
      const [pid = '', executable = '', ...rest] = text.split('\n');
      if (!/^\d{1,10}$/.test(pid)) throw misread(records.host, `process ${JSON.stringify(pid.slice(0, 40))}`);
      const groups = rest.filter((each, index) => index < rest.indexOf('') && each !== '');
      const argumentsAt = rest.findIndex((each, index) => index >= groups.length && each !== '');
      const path = executable.replace(/ \(deleted\)$/, '');
      return {
        pid: Number(pid),
        executable: path,
        arguments: argumentsAt < 0 ? [] : rest.slice(argumentsAt),
        unit: unitOf(groups),
        version: /\/v?(\d+\.\d+\.\d+[^/]*)\/etcd$/.exec(path)?.[1] ?? '',
      };
    })
    .filter((each) => each.arguments.length > 0)
    .sort((left, right) => left.pid - right.pid);
}

/** Sorted by port and address. */
export function parseListeners(records: ProbeRecords): readonly Listener[] {
  const owners = new Map<string, { readonly pid: number; readonly process: string }>();
  for (const line of records.lines('owners')) {
    const [, inode, pid, process] = /^(\d+) (self|\d+) ?(.*)$/.exec(line) ?? [];
    if (inode === undefined || process === undefined)
      throw misread(records.host, `socket owner ${JSON.stringify(line)}`);
    if (pid !== 'self' && !owners.has(inode)) owners.set(inode, { pid: Number(pid), process });
  }
  return records
    .lines('sockets')
    .map((line) => {
      const [, address, port, inode] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (\d+)$/.exec(line) ?? [];
      if (address === undefined || port === undefined || inode === undefined) {
        throw misread(records.host, `socket ${JSON.stringify(line)}`);
      }
      const owner = owners.get(inode) ?? { pid: 0, process: '' };
      return { address: kernelAddress(address), port: Number.parseInt(port, 16), ...owner };
    })
    .sort((left, right) => left.port - right.port || (left.address < right.address ? -1 : 1));
}

/** proc(5): each 32-bit word of an address stands in the host's byte order; all of etcd's platforms but s390x are little-endian. */
function kernelAddress(text: string): string {
  const words = text.match(/.{8}/g) ?? [];
  const octets = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const digits = octets.join('').toLowerCase();
  const mapped = digits.startsWith('00000000000000000000ffff');
  if (words.length === 4 && !mapped) return ipv6(digits);
  return octets
    .slice(-4)
    .map((each) => Number.parseInt(each, 16))
    .join('.');
}

/** The innermost `.service` or `.scope` of the process's cgroup (v2 `0::/…`, or v1's systemd hierarchy). */
function unitOf(lines: readonly string[]): string {
  const line =
    lines.find((each) => each.startsWith('0::')) ?? lines.find((each) => each.includes(':name=systemd:')) ?? '';
  const names = line.split('/').filter((each) => /\.(service|scope)$/.test(each));
  return names[names.length - 1] ?? '';
}

/** waitid(2): CLD_EXITED is 1, CLD_KILLED 2, CLD_DUMPED 3. */
function lastExit(code: string, status: string): string {
  if (code === '1') return `exited ${status}`;
  if (code !== '2' && code !== '3') return '';
  const signal = Object.entries(constants.signals).find(([, value]) => String(value) === status)?.[0] ?? status;
  return `${code === '2' ? 'killed' : 'dumped'} ${signal.replace(/^SIG/, '')}`;
}

function number(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
