/** What was observed: one value a host, made by the probe, and one an endpoint, made by etcd's API. Never edited after it is made. */

/** A file, directory or link as `stat` sees it (links are not followed). */
export type FileFact =
  | { readonly kind: 'absent' }
  /** `mode` has four octal digits (`0640`). sha256 in hex; '' where it was not taken: private keys, and where sha256sum is missing. */
  | {
      readonly kind: 'file';
      readonly mode: string;
      readonly owner: string;
      readonly group: string;
      readonly sha256: string;
    }
  | { readonly kind: 'directory'; readonly mode: string; readonly owner: string; readonly group: string }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' };

/** A systemd unit as `systemctl show` tells it. */
export interface UnitFact {
  /** loaded, not-found, masked, … */
  readonly loadState: string;
  /** active, inactive, activating, failed, … */
  readonly activeState: string;
  readonly subState: string;
  /** enabled, disabled, static, masked, '' … */
  readonly fileState: string;
  readonly fragmentPath: string;
  readonly dropIns: readonly string[];
  readonly mainPid: number;
  readonly invocationId: string;
  readonly restarts: number;
  readonly needsDaemonReload: boolean;
  /** Exit status or signal of the last main process, as systemd words it: `exited 1`, `killed KILL`, ''. */
  readonly lastExit: string;
}

/** What the unit's ExecStartPre recorded of the process that runs now; undefined where it does not match the invocation. */
export interface RunRecord {
  readonly invocationId: string;
  /** sha256 of the configuration less the lines that etcd ignores once it has a WAL (initial-cluster, -state, -token). */
  readonly configSha256: string;
  /** sha256 of each trust bundle. */
  readonly caSha256: string;
  readonly peerCaSha256: string;
  readonly binarySha256: string;
  /** sha256 of the unit's file; '' where systemd had not read it as it stood. */
  readonly unitSha256: string;
}

/** A process named etcd in the host's own network namespace, whoever started it. */
export interface EtcdProcess {
  readonly pid: number;
  /** Absolute path of the executable, '' where unreadable. */
  readonly executable: string;
  readonly arguments: readonly string[];
  /** The systemd unit that it belongs to, '' for none. */
  readonly unit: string;
  /** `3.6.16` as /version on its metrics or client URL or the binary says; '' unknown. */
  readonly version: string;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Name and pid of the process, where the kernel tells. */
  readonly process: string;
  readonly pid: number;
}

/** The state of a member's data dir. */
export interface DataFact {
  readonly dataDir: FileFact;
  /** Whether a `*.wal` file exists: etcd's own test for "already initialised". */
  readonly wal: boolean;
  /** Names below the data dir, at most 20; empty means empty or absent. */
  readonly entries: readonly string[];
}

/** Durable notes of quorate on a host, below /var/lib/quorate. Values are small JSON objects, '' fields where absent. */
export interface HostRecords {
  /** Written before the first start: this host takes part in forming this cluster. */
  readonly attempt: AttemptRecord | undefined;
  /** Written by the unit's ExecStartPre at the first start with `new`. */
  readonly starting: AttemptRecord | undefined;
  /** "This cluster has been healthy." */
  readonly marker: MarkerRecord | undefined;
  readonly lock: LockRecord | undefined;
}

export interface AttemptRecord {
  /** UUID of the cluster in the PKI store. */
  readonly uuid: string;
  readonly token: string;
  /** Hexadecimal, as computed before the start. */
  readonly clusterId: string;
  readonly memberId: string;
}

export interface MarkerRecord extends AttemptRecord {
  readonly cluster: string;
  /** RFC 3339 */
  readonly healthyAt: string;
}

export interface LockRecord {
  /** Random; remote scripts run only while the lock carries it. */
  readonly token: string;
  /** `user@host` of the operator, and what was run. */
  readonly owner: string;
  readonly command: string;
  /** RFC 3339 */
  readonly since: string;
  /** Whether the connection that took the lock is alive, as seen on this host. */
  readonly holderAlive: boolean;
  /** Remote scripts of the lock's run that are alive on this host. */
  readonly scripts: readonly number[];
}

export interface DiskFact {
  readonly freeBytes: number;
  readonly sizeBytes: number;
  readonly freeInodes: number;
  /** undefined where the kernel does not tell (overlay, network, tmpfs). */
  readonly rotational: boolean | undefined;
  readonly readOnly: boolean;
}

/** What the probe saw on one host. */
export interface HostFacts {
  /** The controller's name. */
  readonly host: string;
  readonly hostname: string;
  /** `/etc/machine-id`, '' where there is none; clones of one image may share it. */
  readonly machineId: string;
  /** The kernel's boot ID: two hosts with the same one (and the same machine ID) are one machine. */
  readonly bootId: string;
  readonly os: {
    readonly id: string;
    readonly like: readonly string[];
    readonly version: string;
    readonly pretty: string;
  };
  /** `uname -m` */
  readonly machine: string;
  readonly supervisor: 'systemd' | 'other';
  /** 0 where there is none. */
  readonly systemdVersion: number;
  /** Milliseconds: host's clock minus the operator's, corrected by half the round trip. */
  readonly clockOffsetMs: number;
  readonly memoryBytes: number;
  readonly disk: DiskFact;
  /** Of the folder that holds libDir. */
  readonly libDisk: DiskFact;
  /** Directories that quorate would write (asked for, or their nearest existing parent) and that root cannot: read-only file systems. */
  readonly readOnlyPaths: readonly string[];
  /** Without brackets; less 127.0.0.1, ::1 and link-local ones; sorted. */
  readonly addresses: readonly string[];
  /** Programs that quorate needs and that are missing. */
  readonly missingTools: readonly string[];
  readonly keyTool: 'ssh-keygen' | 'openssl' | undefined;
  /** Whether a run as root was reached. */
  readonly root: boolean;
  readonly user: { readonly exists: boolean; readonly group: string; readonly shell: string };
  /** By absolute path; every path that was asked for is present. */
  readonly files: Readonly<Record<string, FileFact>>;
  /** PEM text of certificates on disk, by absolute path; absent ones are missing. */
  readonly certificates: Readonly<Record<string, string>>;
  /** Text of non-secret files that a diff needs (configuration, unit, …), by absolute path. */
  readonly texts: Readonly<Record<string, string>>;
  /** Revocation lists (DER, in base64) that etcd reads, by absolute path; absent: the host has none. */
  readonly lists?: Readonly<Record<string, string>>;
  /** Files that are longer than what is read of one: they are in none of `certificates`, `texts` and `lists`; absent: there are none. */
  readonly tooLong?: readonly string[];
  readonly unit: UnitFact;
  readonly run: RunRecord | undefined;
  readonly processes: readonly EtcdProcess[];
  /** On this controller's client, peer and metrics ports only. */
  readonly listeners: readonly Listener[];
  readonly data: DataFact;
  /** Whether the raft log's files hold requests of the v2 store, which etcd 3.5 and older write; undefined where that was not asked. */
  readonly v2Log?: boolean | undefined;
  readonly records: HostRecords;
  /** `/etc/default/etcd` or /etc/sysconfig/etcd where it sets anything: with a config file etcd ignores it. */
  readonly ignoredDefaults: readonly string[];
  /** Distribution packages that bring an etcd server of their own, and whether they are held. */
  readonly packages: readonly { readonly name: string; readonly version: string; readonly held: boolean }[];
  /** Data dirs of such a package's own member that hold at least one key. */
  readonly packageData: readonly string[];
}

/** One member as the cluster's own list tells it. */
export interface MemberFact {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** '' for a member that never started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly learner: boolean;
}

/** What one endpoint answered. */
export interface EndpointFacts {
  readonly host: string;
  /** Error text when it did not answer; undefined when it did. */
  readonly failure: string | undefined;
  readonly clusterId: string;
  readonly memberId: string;
  readonly version: string;
  /** '' before 3.6. */
  readonly storageVersion: string;
  /** The minor that the cluster is on its way down to; undefined where it is not, and before 3.6, which does not tell. */
  readonly downgradesTo?: string | undefined;
  /** '0' for none. */
  readonly leaderId: string;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly dbSizeBytes: number;
  readonly dbInUseBytes: number;
  readonly learner: boolean;
  readonly errors: readonly string[];
  /** Whether a linearizable read returned. */
  readonly linearizable: boolean;
  readonly members: readonly MemberFact[];
  readonly alarms: readonly { readonly memberId: string; readonly kind: string }[];
  /** The certificate that the client port served in this connection, PEM; '' when none. */
  readonly servedCertificate: string;
}

/** Everything that was observed of a cluster, by controller name. A host that could not be reached is in `unreachable` with the reason. */
export interface Facts {
  /** Epoch milliseconds of the operator's clock. */
  readonly observedAt: number;
  readonly hosts: Readonly<Record<string, HostFacts>>;
  readonly endpoints: Readonly<Record<string, EndpointFacts>>;
  readonly unreachable: Readonly<Record<string, string>>;
}
