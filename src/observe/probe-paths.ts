/** Which paths of a host the probe looks at, and how closely. */
import type { Cluster } from '../domain/cluster.ts';
import {
  ATTEMPT_FILE,
  BOOTSTRAP_CONFIG,
  BOOTSTRAP_ENVIRONMENT,
  binaryDir,
  configFile,
  DIGESTS_NAME,
  dataFolders,
  LOCK_DIR,
  MARKER_FILE,
  pkiLink,
  QUORATE_DIR,
  QUORATE_RUN_DIR,
  STARTING_FILE,
  unitFile,
  walFolder,
} from '../domain/layout.ts';

/** How closely the probe looks: at the inode alone, at its hash, or at its text as well. Globs are relative, with `/`. */
export interface ProbePaths {
  readonly seen: readonly string[];
  /** Every entry of these directories is seen (not hashed: private keys lie there). */
  readonly seenIn: readonly string[];
  /** Every entry of every directory in these is seen. */
  readonly seenBelow: readonly string[];
  /** Large files, of which members run: hashed unless {@link digests} still vouch for them. */
  readonly binaries: readonly string[];
  /** Folders with one folder a version, whose etcd is such a file. */
  readonly binariesIn: readonly string[];
  /** Notes of sha256 and inode beside the binaries (see digests.ts). */
  readonly digests: readonly string[];
  /** Folders in whose folders such notes lie. */
  readonly digestsIn: readonly string[];
  /** Hashed, and their text is taken. */
  readonly texts: readonly string[];
  readonly textsIn: readonly { readonly directory: string; readonly glob: string }[];
  /** Hashed; they hold no text. */
  readonly hashedIn: readonly { readonly directory: string; readonly glob: string }[];
  /** Directories that quorate writes to. */
  readonly written: readonly string[];
  readonly walDir: string;
  readonly lockDir: string;
  readonly runFile: string;
}

/** Public files of a PKI generation; everything else in it is looked at, never read. */
const PUBLIC_FILES = ['ca.crt', 'peer-ca.crt', 'server.crt', 'peer.crt', 'client.crt'];
/** Of any minor: an upgrade may bring more of them. */
const programs = ['etcd', 'etcdctl', 'etcdutl'];
/** Revocation lists of the generation in use: what they say is compared with the operator's record. */
const LISTS = ['client.crl', 'peer.crl'];
const KEYS = ['server.key', 'peer.key', 'client.key'];

/** The paths for a cluster; `texts` adds files whose hash and text a planner wants besides. */
export function probePaths(cluster: Cluster, texts: readonly string[] = []): ProbePaths {
  const { configDir, dataDir, libDir, binDir, walDir } = cluster.paths;
  const pki = pkiLink(cluster);
  const generations = `${configDir}/pki.d`;
  const binaries = binaryDir(cluster);
  return {
    seen: [
      ...[configDir, pki, generations, dataDir, libDir, binDir, binaries, QUORATE_DIR, LOCK_DIR],
      ...(walDir === undefined ? [] : [walDir]),
      ...dataFolders(cluster).map(({ path, entry }) => `${path}/${entry}`),
      ...programs.flatMap((each) => [`${binDir}/${each}`, `${binaries}/${each}`]),
      ...KEYS.map((each) => `${pki}/${each}`),
      BOOTSTRAP_CONFIG,
    ],
    seenIn: [generations, libDir],
    seenBelow: [generations],
    binaries: [`${binaries}/etcd`],
    binariesIn: [libDir],
    digests: [`${binaries}/${DIGESTS_NAME}`],
    digestsIn: [libDir],
    texts: [
      ...[configFile(cluster), `${configFile(cluster)}.next`, unitFile(cluster), BOOTSTRAP_ENVIRONMENT],
      ...['/etc/profile.d/etcdctl.sh', '/etc/bash_completion.d/etcdctl'],
      ...[ATTEMPT_FILE, STARTING_FILE, MARKER_FILE],
      ...[...PUBLIC_FILES, ...LISTS].map((each) => `${pki}/${each}`),
      ...texts,
    ],
    textsIn: [
      { directory: generations, glob: '/*/*.crt' },
      { directory: generations, glob: '/*/*.pub' },
      { directory: `${unitFile(cluster)}.d`, glob: '/*.conf' },
    ],
    hashedIn: [{ directory: generations, glob: '/*/*.crl' }],
    written: [configDir, dataDir, libDir, binDir, '/etc/systemd/system', QUORATE_DIR, ...(walDir ? [walDir] : [])],
    walDir: walFolder(cluster),
    lockDir: LOCK_DIR,
    runFile: `${QUORATE_RUN_DIR}/${cluster.unit}.run`,
  };
}
