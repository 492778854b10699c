/** The probe's answer as facts: pure, strict, one value a host. */
import type { HostFacts } from '../domain/facts.ts';
import { parseFiles } from './parse-files.ts';
import {
  parseAddresses,
  parseClock,
  parseCount,
  parseDisks,
  parseElapsedMs,
  parseOs,
  parsePackageData,
  parsePackages,
  parseSystemdVersion,
  parseUser,
} from './parse-host.ts';
import { parseListeners, parseProcesses, parseUnit } from './parse-processes.ts';
import { parseNotes, parseRun } from './parse-state.ts';
import { ENTRIES_SENT } from './probe-body.ts';
import { type ProbeRecords, readRecords } from './probe-records.ts';

/** What the operator's side knows of one answer. */
export interface ProbeContext {
  /** The controller's name. */
  readonly host: string;
  /** Operator's clock when the last octet came, epoch milliseconds. */
  readonly receivedAt: number;
  /** Operator's clock when a script that is nothing but the probe was sent; undefined where more ran before it. */
  readonly sentAt: number | undefined;
  /** The host by a whole probe of the same run, where this one asked for changes alone. */
  readonly known?: HostFacts | undefined;
}

/**
 * Facts from the output of a probe, which may stand anywhere in `output` (the last one counts). Throws QuorateError:
 * `step-failed` for an answer that is cut or not understood, `refused` for a host without base64.
 */
export function parseProbe(output: string, context: ProbeContext): HostFacts {
  const { host, known } = context;
  const records = readRecords(output, host, known === undefined);
  const unit = parseUnit(records);
  const files = parseFiles(records);
  return {
    host,
    ...parseMachine(records),
    ...(known === undefined ? parseSurroundings(records, context) : surroundingsOf(known)),
    ...files,
    unit,
    run: parseRun(records.get('run'), unit.invocationId),
    data: {
      dataDir: files.files[records.get('data-dir')] ?? { kind: 'absent' },
      wal: records.get('wal') === 'yes',
      entries: records.lines('entries').slice(0, ENTRIES_SENT),
    },
    ...v2LogOf(records),
    records: parseNotes(records, files),
  };
}

/** What a probe that asks for changes alone does not ask for again. */
type Surroundings = ReturnType<typeof parseSurroundings>;

function parseSurroundings(records: ProbeRecords, context: ProbeContext) {
  const [disk, libDisk] = parseDisks(records);
  return {
    clockOffsetMs: Math.round(parseClock(records) - (context.receivedAt - roundTripMs(records, context) / 2)),
    disk,
    libDisk,
    readOnlyPaths: records.lines('unwritable'),
    addresses: parseAddresses(records),
    processes: parseProcesses(records),
    listeners: parseListeners(records),
    ignoredDefaults: records.lines('defaults'),
    packages: parsePackages(records),
    packageData: parsePackageData(records),
  };
}

function surroundingsOf(known: HostFacts): Surroundings {
  const { clockOffsetMs, disk, libDisk, readOnlyPaths, addresses } = known;
  const { processes, listeners, ignoredDefaults, packages, packageData } = known;
  return {
    ...{ clockOffsetMs, disk, libDisk, readOnlyPaths, addresses },
    ...{ processes, listeners, ignoredDefaults, packages, packageData },
  };
}

/** Time on the wire there and back: what the operator measured less what the script took. The clock was read last of all. */
function roundTripMs(records: ProbeRecords, context: ProbeContext): number {
  return context.sentAt === undefined ? 0 : Math.max(0, context.receivedAt - context.sentAt - parseElapsedMs(records));
}

function parseMachine(records: ProbeRecords) {
  return {
    hostname: records.get('hostname'),
    machineId: records.get('machine-id'),
    bootId: records.get('boot-id'),
    os: parseOs(records.get('os-release')),
    machine: records.get('machine'),
    supervisor: records.get('systemd') === 'yes' ? ('systemd' as const) : ('other' as const),
    systemdVersion: parseSystemdVersion(records),
    memoryBytes: parseCount(records, 'memory-kib') * 1024,
    missingTools: records.get('missing-tools').split(' ').filter(Boolean),
    keyTool: keyTool(records.get('key-tool')),
    root: records.get('uid') === '0',
    user: parseUser(records),
  };
}

function keyTool(name: string): HostFacts['keyTool'] {
  return name === 'ssh-keygen' || name === 'openssl' ? name : undefined;
}

function v2LogOf(records: ProbeRecords): Pick<HostFacts, 'v2Log'> {
  const told = records.get('old-log');
  return told === 'yes' || told === 'no' ? { v2Log: told === 'yes' } : {};
}
