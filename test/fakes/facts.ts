/** Facts of hosts that nobody probed: fresh ones, and what changes make of them. */
import type { Cluster } from '../../src/domain/cluster.ts';
import type { AttemptRecord, EndpointFacts, HostFacts, MemberFact } from '../../src/domain/facts.ts';
import type { Identity } from '../../src/domain/verdict.ts';
import { clusterId, memberId } from '../../src/plan/ids.ts';

/** 2026-01-01T00:00:00Z: the moment of every fake observation. */
export const NOW = Date.UTC(2026, 0, 1);

const GIB = 1024 ** 3;
const disk = {
  freeBytes: 100 * GIB,
  sizeBytes: 120 * GIB,
  freeInodes: 5_000_000,
  rotational: false,
  readOnly: false,
} as const;

/** A new Debian machine on which nothing of etcd ever was. */
export function freshHost(host: string, changes: Partial<HostFacts> = {}): HostFacts {
  return {
    host,
    hostname: host,
    machineId: `machine-of-${host}`,
    bootId: `boot-of-${host}`,
    os: { id: 'debian', like: [], version: '12', pretty: 'Debian GNU/Linux 12 (bookworm)' },
    machine: 'x86_64',
    supervisor: 'systemd',
    systemdVersion: 252,
    clockOffsetMs: 0,
    memoryBytes: 8 * GIB,
    disk,
    libDisk: disk,
    readOnlyPaths: [],
    addresses: [],
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
    ...changes,
  };
}

/** The identity that this cluster has with the given token. */
export function identityWith(cluster: Cluster, uuid: string, token: string): Identity {
  const memberIds = Object.fromEntries(
    cluster.controllers.map(({ name, peerUrl }) => [name, memberId([peerUrl], token)]),
  );
  return { uuid, token, formedAt: undefined, memberIds, clusterId: clusterId(Object.values(memberIds)) };
}

export function attemptOf(identity: Identity, host: string): AttemptRecord {
  const { uuid, token, clusterId: id } = identity;
  return { uuid, token, clusterId: id, memberId: identity.memberIds[host] ?? '' };
}

export function membersOf(cluster: Cluster, identity: Identity): readonly MemberFact[] {
  return cluster.controllers.map(({ name, peerUrl, clientUrl }) => ({
    id: identity.memberIds[name] ?? '',
    name,
    peerUrls: [peerUrl],
    clientUrls: [clientUrl],
    learner: false,
  }));
}

/** An endpoint of a healthy cluster whose first member leads. */
export function endpointOf(
  cluster: Cluster,
  identity: Identity,
  host: string,
  changes: Partial<EndpointFacts> = {},
): EndpointFacts {
  const members = membersOf(cluster, identity);
  return {
    host,
    failure: undefined,
    clusterId: identity.clusterId,
    memberId: identity.memberIds[host] ?? '',
    version: cluster.version,
    storageVersion: '',
    leaderId: members[0]?.id ?? '0',
    raftTerm: 2,
    raftIndex: 100,
    raftAppliedIndex: 100,
    dbSizeBytes: 20_480,
    dbInUseBytes: 16_384,
    learner: false,
    errors: [],
    linearizable: true,
    members,
    alarms: [],
    servedCertificate: '',
    ...changes,
  };
}

/** An endpoint that did not answer. */
export function silentEndpoint(host: string, failure: string): EndpointFacts {
  return {
    host,
    failure,
    clusterId: '',
    memberId: '',
    version: '',
    storageVersion: '',
    leaderId: '0',
    raftTerm: 0,
    raftIndex: 0,
    raftAppliedIndex: 0,
    dbSizeBytes: 0,
    dbInUseBytes: 0,
    learner: false,
    errors: [],
    linearizable: false,
    members: [],
    alarms: [],
    servedCertificate: '',
  };
}
