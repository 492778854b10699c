/** A controller: one host of the inventory, that runs one member. */

/** How one machine is reached over SSH. */
export interface SshTarget {
  /** Address or DNS name to dial. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Private key files, absolute, tried in order. */
  readonly identityFiles: readonly string[];
  /** Use the agent at SSH_AUTH_SOCK. */
  readonly agent: boolean;
  /** Name of the environment variable that holds the key's passphrase. */
  readonly passphraseEnv: string | undefined;
  /** Name of the environment variable that holds the login password; undefined: no password login. */
  readonly passwordEnv: string | undefined;
  /** `SHA256:…` fingerprint or a whole `ssh-ed25519 AAAA…` public key that the host must show; replaces known_hosts. */
  readonly hostKey: string | undefined;
  readonly knownHostsFiles: readonly string[];
  /** How root is reached: not needed (the user is root), without a password, or with the one in this environment variable (undefined: asked on a terminal). */
  readonly sudo: 'none' | 'passwordless' | { readonly passwordEnv: string | undefined };
  readonly connectTimeoutMs: number;
  readonly bastion: SshTarget | undefined;
}

export interface Controller {
  /** The member's name; unique. */
  readonly name: string;
  /** `ssh`, or `local` for the machine that quorate runs on. */
  readonly transport: 'ssh' | 'local';
  readonly ssh: SshTarget;
  /** IP addresses that etcd binds (besides loopback); no brackets. `0.0.0.0` or `::` only when asked for. */
  readonly listenAddresses: readonly string[];
  /** IP or DNS name that other members and clients dial; no brackets. */
  readonly advertiseAddress: string;
  readonly clientPort: number;
  /** The one that clients are still to find it at, bound beside `clientPort`. */
  readonly formerClientPort?: number;
  readonly peerPort: number;
  /** Loopback port for plain-http metrics and health. */
  readonly metricsPort: number;
  /** `https://ADVERTISE:2379`, IPv6 in brackets. */
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** Subject alternative names of this member's certificates, complete, sorted, without duplicates. */
  readonly sans: SubjectAltNames;
}

export interface SubjectAltNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/**
 * The port that a member answers its clients on before its turn and behind it: while it has two, that is the former one. Who asks it while its ports change
 * asks there.
 */
export function dialledClientPort({
  clientPort,
  formerClientPort,
}: Pick<Controller, 'clientPort' | 'formerClientPort'>): number {
  return formerClientPort ?? clientPort;
}
