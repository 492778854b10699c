/** The desired cluster: what an inventory says once every default is filled in. Everything later reads this, not the inventory. */
import type { Controller, SubjectAltNames } from './controller.ts';

/** Where etcd's binaries come from. */
export type BinarySource =
  | { readonly kind: 'release'; readonly via: 'operator' | 'host' }
  | { readonly kind: 'mirror'; readonly url: string; readonly via: 'operator' | 'host' }
  /** A release tarball or a folder that holds `etcd`, `etcdctl` (and `etcdutl`) on the operator's machine. */
  | { readonly kind: 'file'; readonly path: string }
  /** Already on the hosts: the folder that holds the binaries there. */
  | { readonly kind: 'system'; readonly directory: string };

/** `linux` release architectures of etcd. */
export type Architecture = 'amd64' | 'arm64' | 'ppc64le' | 's390x';

export type KeyAlgorithm = 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';

/** What certificates of this cluster look like; lifetimes in days. */
export interface PkiPolicy {
  /** `separate`: one authority for clients and servers, one for peers. `single`: one for both. */
  readonly authorities: 'separate' | 'single';
  /** Which of them sign elsewhere: quorate makes requests and takes in what was signed. */
  readonly external: readonly ('client' | 'peer' | 'both')[];
  readonly algorithm: KeyAlgorithm;
  readonly caLifetimeDays: number;
  readonly leafLifetimeDays: number;
  /** Not before lies this many minutes in the past, against clocks that lag. */
  readonly backdateMinutes: number;
  /** How long before its end a leaf is due: milliseconds, or a share (0 to 1) of its life. */
  readonly renewBefore: { readonly ms: number } | { readonly share: number };
  /** What authorities are limited to: every name and address of the inventory; undefined: nothing. */
  readonly nameConstraints: SubjectAltNames | undefined;
  /** Subject organisation of every certificate; empty for none. */
  readonly organization: string;
  /** age recipients (`age1…`) that can open the private keys in the state directory, besides the operator's own identity. */
  readonly recipients: readonly string[];
  /** The operator's age identity file; undefined: the default one. Never read by pure code. */
  readonly identityFile: string | undefined;
}

/** Directories and files on the hosts; all absolute, normalised, without a trailing slash. */
export interface HostPaths {
  /** `/etc/etcd`: configuration and certificates. */
  readonly configDir: string;
  /** `/var/lib/etcd` */
  readonly dataDir: string;
  /** A WAL directory of its own, or undefined for the one below the data dir. */
  readonly walDir: string | undefined;
  /** `/usr/local/lib/etcd`: one folder a version. */
  readonly libDir: string;
  /** `/usr/local/bin`: links to the version in use. */
  readonly binDir: string;
}

/** The whole desired state of one cluster. */
export interface Cluster {
  readonly name: string;
  /** etcd's version without `v`, e.g. `3.6.16`. */
  readonly version: string;
  /** Sorted by name; at least one. */
  readonly controllers: readonly Controller[];
  /** Names of controllers with `state: absent`, sorted: verbs that change who is a member take them for departing. Undefined: none. */
  readonly absent?: readonly string[];
  /** Hosts whose members are to leave the cluster, no controllers any more; sorted by name. Undefined: none. */
  readonly departing?: readonly Controller[];
  readonly paths: HostPaths;
  /** systemd unit name with suffix, `etcd.service`. */
  readonly unit: string;
  /** The account that runs etcd, and its group. */
  readonly user: string;
  /** etcd's own configuration keys as the operator wrote them, checked against the minor's schema, less those that quorate owns. */
  readonly etcd: Readonly<Record<string, unknown>>;
  readonly pki: PkiPolicy;
  readonly binaries: BinarySource;
  /** sha256 (hex) of the release tarball for each architecture, as the inventory states it. */
  readonly checksums: Readonly<Partial<Record<Architecture, string>>>;
  /** How quorate itself talks to etcd: through the SSH connection or straight to the client URL. */
  readonly access: 'tunnel' | 'direct';
  /** Whether client ports serve plaintext beside TLS: a cluster that was made without TLS, until all its clients use it. Absent: no. */
  readonly plaintextClients?: true;
  /** Hazard IDs that the operator accepts. */
  readonly acceptHazards: readonly string[];
  /** Absolute path of the state directory with the operator (`.quorate/CLUSTER`). */
  readonly stateDir: string;
  /** Absolute path of `quorate.lock.yml` beside the inventory. */
  readonly lockFile: string;
  /** What the inventory says after `${VAR}` substitution, the same however it is written: a saved plan is bound to its sha256. */
  readonly settingsText: string;
  /** Things that are allowed and unwise: even member counts, one member, … */
  readonly warnings: readonly string[];
}
