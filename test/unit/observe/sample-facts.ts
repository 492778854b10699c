/** Facts of a host that is ready for a member. */
import type { HostFacts } from '../../../src/domain/facts.ts';

const disk = { freeBytes: 100e9, sizeBytes: 200e9, freeInodes: 1e6, rotational: false, readOnly: false };

export function readyHost(name: string, change: Partial<HostFacts> = {}): HostFacts {
  const number = name.slice(-1);
  return {
    host: name,
    hostname: name,
    machineId: number.repeat(32),
    bootId: `boot-${number}`,
    os: { id: 'debian', like: [], version: '12', pretty: 'Debian GNU/Linux 12 (bookworm)' },
    machine: 'x86_64',
    supervisor: 'systemd',
    systemdVersion: 252,
    clockOffsetMs: 0,
    memoryBytes: 8e9,
    disk,
    libDisk: disk,
    readOnlyPaths: [],
    addresses: [`10.0.0.${number}`],
    missingTools: [],
    keyTool: 'ssh-keygen',
    root: true,
    user: { exists: false, group: '', shell: '' },
    files: {},
    certificates: {},
    texts: {},
    unit: {
      loadState: 'not-found',
      activeState: 'inactive',
      subState: 'dead',
      fileState: '',
      fragmentPath: '',
      dropIns: [],
      mainPid: 0,
      invocationId: '',
      restarts: 0,
      needsDaemonReload: false,
      lastExit: '',
    },
    run: undefined,
    processes: [],
    listeners: [],
    data: { dataDir: { kind: 'absent' }, wal: false, entries: [] },
    records: { attempt: undefined, starting: undefined, marker: undefined, lock: undefined },
    ignoredDefaults: [],
    packages: [],
    packageData: [],
    ...change,
  };
}
