/** A stage for end-to-end tests: a lab, an inventory for it, and quorate as a user runs it. */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hazardsOf } from '../../src/domain/hazards.ts';
import type { LabHost } from '../../src/lab/host.ts';
import { downLab, type Lab, upLab } from '../../src/lab/lab.ts';
import { labInventory } from '../../src/lab/lab-inventory.ts';
import { ensureRelease } from '../../src/lab/releases.ts';

const program = fileURLToPath(new URL('../../bin/quorate.js', import.meta.url));

/** How a run of quorate ended. */
export interface Run {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StageWish {
  /** Unique among the tests that run at once: names the lab. */
  readonly name: string;
  /** Number of hosts (default 3). */
  readonly hosts?: number;
  /** etcd's version (default 3.6.16). */
  readonly version?: string;
  /** Releases that can be had besides, for upgrades: binaries then come from a folder with a tarball of each. */
  readonly releases?: readonly string[];
  /** Debian packages besides the base's. */
  readonly packages?: readonly string[];
}

export interface Stage {
  readonly lab: Lab;
  /** The operator's folder: inventory, identity, state directory. */
  readonly folder: string;
  readonly inventory: string;
  readonly cluster: string;
  host(number: number): LabHost;
  /** Runs quorate with `-i INVENTORY`; its exit status is a result. */
  quorate(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** bootstrap --yes, with a new identity at the first time. Fails the test unless it exits 0. */
  bootstrap(options?: RunOptions): Promise<Run>;
  /** Starts quorate without waiting. */
  start(args: readonly string[], options?: RunOptions): Running;
  /** Replaces text in the inventory. */
  edit(change: (text: string) => string): Promise<void>;
  /** etcdctl on a host, through the login shell's environment. */
  etcdctl(number: number, command: string): Promise<string>;
  down(): Promise<void>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Run>;
  /** stdout and stderr until now. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Makes a lab and an inventory; `down` removes both. */
export async function openStage(wish: StageWish): Promise<Stage> {
  const version = wish.version ?? '3.6.16';
  const root = await mkdtemp(join(tmpdir(), 'quorate-e2e-'));
  const names = Array.from({ length: wish.hosts ?? 3 }, (_, index) => `etcd-${index + 1}`);
  const release = await ensureRelease(version);
  const lab = await upLab(wish.name, { root: join(root, 'labs'), hosts: names, packages: wish.packages ?? [] });
  const folder = join(root, 'operator');
  await mkdir(folder, { mode: 0o700 });
  const inventory = join(folder, 'quorate.yml');
  const hazards = hazardsOf(version).filter(({ severity }) => severity === 'refuse');
  const path = wish.releases === undefined ? release.tarball : await tarballs(root, [version, ...wish.releases]);
  const binaries = { source: 'file', path };
  const acceptHazards = hazards.length === 0 ? undefined : hazards.map(({ id }) => id);
  await writeFile(inventory, labInventory(lab, { name: wish.name, version, binaries, acceptHazards }));
  const host = (number: number): LabHost => lab.host(`etcd-${number}`);
  const start = (args: readonly string[], options: RunOptions = {}): Running =>
    startQuorate(withInventory(args, inventory), { folder, ...options });
  const quorate = (args: readonly string[], options?: RunOptions): Promise<Run> => start(args, options).ended;
  return {
    lab,
    folder,
    inventory,
    cluster: wish.name,
    host,
    start,
    quorate,
    bootstrap: async (options) => {
      const run = await quorate(bootstrapArguments(await hasIdentity(folder)), options);
      if (run.status !== 0) throw new Error(`bootstrap exited with ${run.status}:\n${run.stdout}\n${run.stderr}`);
      return run;
    },
    edit: async (change) => writeFile(inventory, change(await readFile(inventory, 'utf8'))),
    etcdctl: (number, command) => host(number).sh(['bash', '--login', '-c', `etcdctl ${command}`]),
    down: async () => {
      await downLab(wish.name, { root: join(root, 'labs') });
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A folder with the releases of these versions, as an operator without a network keeps them. */
async function tarballs(root: string, versions: readonly string[]): Promise<string> {
  const folder = join(root, 'releases');
  await mkdir(folder);
  for (const version of versions) {
    const { tarball } = await ensureRelease(version);
    await symlink(tarball, join(folder, basename(tarball)));
  }
  return folder;
}

/** The arguments of a bootstrap that asks nothing. */
export function bootstrapArguments(identityExists: boolean): readonly string[] {
  return ['bootstrap', '--yes', ...(identityExists ? [] : ['--new-identity', 'identity.txt'])];
}

/** A copy of the operator's folder: another operator with the same state. */
export async function copyOperator(stage: Stage, name: string): Promise<string> {
  const copy = join(stage.folder, '..', name);
  await cp(stage.folder, copy, { recursive: true });
  return join(copy, 'quorate.yml');
}

function withInventory(args: readonly string[], inventory: string): readonly string[] {
  return args.includes('-i') ? args : [...args, '-i', inventory];
}

async function hasIdentity(folder: string): Promise<boolean> {
  return readFile(join(folder, 'identity.txt')).then(
    () => true,
    () => false,
  );
}

function startQuorate(args: readonly string[], options: RunOptions & { readonly folder: string }): Running {
  const environment = { ...process.env, HOME: options.folder, XDG_CONFIG_HOME: '', CI: 'true', ...options.env };
  const child = spawn(process.execPath, [program, ...args], { cwd: options.folder, env: environment });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Run>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) =>
      resolve({ status, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
  const output = (): string => Buffer.concat([...stdout, ...stderr]).toString();
  return { pid: child.pid ?? 0, ended, output, kill: (signal) => child.kill(signal) };
}

/**
 * Ends every etcd of the lab as a power cut would. Members that are stopped together in good order wait for seconds for somebody to take over their
 * leadership: what only makes room for the next test need not.
 */
export async function killMembers({ lab }: Stage): Promise<void> {
  // Stopped too: a unit that systemd starts again in the meantime is in another state at each look.
  const end =
    'units=$(ps -C etcd -o unit= | sort -u); pkill -KILL -x etcd; for each in $units; do systemctl stop $each; done';
  await Promise.all(lab.hosts.map((host) => host.exec(end)));
}
