/**
 * The read-only script that sees everything of a host in one round trip. POSIX sh (dash, bash, busybox ash), coreutils and
 * /proc; every further program may be missing. It makes no file, so /tmp, umask and the working directory do not matter.
 *
 * It prints `BEGIN`, base64 of records and of the joined texts behind the last one, `END`. A record is `key LENGTH\n` + LENGTH
 * octets + `\n`, so no value can pass for another; a missing `END` says that the answer was cut.
 */
import type { Cluster } from '../domain/cluster.ts';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { binaryDir, DIGESTS_NAME } from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';
import { knownMinor } from '../domain/version.ts';
import { changesProbe, wholeProbe } from './probe-body.ts';
import { type ProbePaths, probePaths } from './probe-paths.ts';

/** Programs that quorate's scripts call on a host, beside the shell's own commands. */
const REQUIRED_TOOLS: readonly string[] = [
  ...[
    'base64',
    'cat',
    'chmod',
    'chown',
    'cp',
    'date',
    'dd',
    'flock',
    'getent',
    'grep',
    'groupadd',
    'gzip',
    'head',
    'id',
    'install',
    'ln',
    'mkdir',
    'mktemp',
  ],
  ...['mv', 'readlink', 'rm', 'sed', 'sha256sum', 'stat', 'sync', 'systemctl', 'tar', 'uname'],
  'useradd',
];

/** On every host, or where the inventory's version cannot read such requests and another one is linked. */
export type V2LogWish = 'any' | 'inventory';

/** What is wanted of a probe besides the usual. */
export interface ProbeWish {
  /** Files whose hash and text are wanted besides. */
  readonly texts?: readonly string[] | undefined;
  /** Where the raft log's files are read too. */
  readonly v2Log?: V2LogWish | undefined;
  /** Only what writing files may have changed: not what runs and listens, nor disks, addresses, packages and the clock. */
  readonly changesAlone?: boolean | undefined;
}

/**
 * The probe of one controller: a script that can stand alone or at the end of another one (it runs in a subshell and leaves
 * nothing behind). Throws QuorateError `inventory` where a path holds a line break.
 */
export function probeScript(
  cluster: Cluster,
  controller: Controller,
  { texts = [], v2Log, changesAlone = false }: ProbeWish = {},
): string {
  const body = changesAlone ? changesProbe : wholeProbe;
  return `(\n${askV2Log(cluster, v2Log)}\n${settings(cluster, controller, probePaths(cluster, texts))}\n${body})\n`;
}

/** Logs are large: for the inventory's sake they are read only where 3.7 is wanted and not linked yet. */
function askV2Log(cluster: Cluster, wish: V2LogWish | undefined): string {
  const asked = wish === 'any' || (wish === 'inventory' && knownMinor(cluster.version) === '3.7');
  if (!asked || wish === 'any') return `ask_v2_log=${asked ? 'yes' : 'no'}`;
  const [linked, wanted] = [`${cluster.paths.binDir}/etcd`, `${binaryDir(cluster)}/etcd`];
  return `ask_v2_log=yes\n[ ! ${word(linked)} -ef ${word(wanted)} ] || ask_v2_log=no`;
}

function settings(cluster: Cluster, controller: Controller, paths: ProbePaths): string {
  const { clientPort, formerClientPort = clientPort, peerPort, metricsPort } = controller;
  const ports = [...new Set([clientPort, formerClientPort, peerPort, metricsPort])];
  const patterns = ports.map((port) => `*:${port.toString(16).toUpperCase().padStart(4, '0')}`);
  return [
    `tools=${word(requiredTools(cluster).join(' '))}`,
    `unit=${word(cluster.unit)}`,
    `user=${word(cluster.user)}`,
    `data_dir=${word(cluster.paths.dataDir)}`,
    `wal_dir=${word(paths.walDir)}`,
    `lib_dir=${word(cluster.paths.libDir)}`,
    `lock_dir=${word(paths.lockDir)}`,
    `run_file=${word(paths.runFile)}`,
    `digests() { vouched ${paths.digestsIn.map((each) => `${word(each)}/*/${DIGESTS_NAME}`).join(' ')} ${words(paths.digests)}; }`,
    `written() { writes ${words(paths.written)}; }`,
    `ours() { case $1 in ${patterns.join(' | ')}) ;; *) return 1 ;; esac }`,
    `choose() {\n${choices(paths).join('\n')}\n}`,
  ].join('\n');
}

function requiredTools({ binaries }: Cluster): readonly string[] {
  return 'via' in binaries && binaries.via === 'host' ? [...REQUIRED_TOOLS, 'curl'] : REQUIRED_TOOLS;
}

/** The closest look comes first: a path that was looked at once is not looked at again. */
function choices(paths: ProbePaths): readonly string[] {
  return [
    `text ${words(paths.texts)}`,
    ...paths.textsIn.map((each) => `text ${word(each.directory)}${each.glob}`),
    ...paths.hashedIn.map((each) => `whole ${word(each.directory)}${each.glob}`),
    `big ${words(paths.binaries)} ${paths.binariesIn.map((each) => `${word(each)}/*/etcd`).join(' ')}`,
    `see ${words(paths.seen)}`,
    ...paths.seenIn.map((each) => `see ${word(each)}/*`),
    ...paths.seenBelow.map((each) => `see ${word(each)}/*/*`),
  ];
}

function words(list: readonly string[]): string {
  return list.map(word).join(' ');
}

function word(text: string): string {
  if (!/[\n\r]/.test(text)) return quote(text);
  throw new QuorateError('inventory', `${JSON.stringify(text)}: a line break cannot stand in a path`);
}
