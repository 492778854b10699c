/** What the lab needs of this machine, and getting it: Linux, root, Debian's package manager, a few packages. */
import { access, constants } from 'node:fs/promises';
import { QuorateError } from '../domain/errors.ts';
import { runProgram, tryProgram } from './program.ts';
import type { Say } from './say.ts';

/** Each program the lab starts, and the Debian 12 package that brings it. */
const packageOf = {
  mmdebstrap: 'mmdebstrap',
  'systemd-nspawn': 'systemd-container',
  ip: 'iproute2',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  nsenter: 'util-linux',
  mount: 'mount',
} as const;

const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** What is true of the machine, as far as the lab cares. */
export interface MachineView {
  readonly platform: string;
  readonly uid: number | undefined;
  readonly hasApt: boolean;
}

/**
 * Makes this machine fit for a lab: installs the packages that are missing, announcing each.
 * Throws `usage`, saying what to run instead, where that cannot be done.
 */
export async function ensureRequirements(say: Say, signal?: AbortSignal): Promise<void> {
  judgeMachine({
    platform: process.platform,
    uid: process.getuid?.(),
    hasApt: (await findProgram('apt-get')) !== undefined,
  });
  const missing = await missingPackages();
  if (missing.length === 0) return;
  say(`installing Debian packages: ${missing.join(' ')}`);
  await installPackages(missing, signal);
}

/** Throws `usage` for a machine that cannot hold a lab; returns for one that can. */
export function judgeMachine(machine: MachineView): void {
  const elsewhere = 'quorate works from here against any hosts that you reach over SSH: quorate init user@host ...';
  if (machine.platform !== 'linux') {
    throw new QuorateError('usage', `the lab needs Linux (systemd-nspawn); this is ${machine.platform}`, {
      hint: elsewhere,
    });
  }
  if (machine.uid !== 0) {
    throw new QuorateError('usage', 'the lab needs root: it starts machines and makes a network bridge', {
      hint: `run the same command with sudo; without root, ${elsewhere}`,
    });
  }
  if (!machine.hasApt) {
    throw new QuorateError('usage', "the lab needs Debian's apt-get, from whose packages its hosts are made", {
      hint: `run it on Debian 12; ${elsewhere}`,
    });
  }
}

/** The path of a program, looked up in the folders of Debian's programs; undefined when it is not installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of programFolders) {
    const path = `${folder}/${name}`;
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

async function missingPackages(): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(packageOf)) {
    if ((await findProgram(program)) === undefined) missing.add(name);
  }
  return [...missing].sort();
}

async function installPackages(packages: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=300'];
  const install = [...apt, 'install', '-y', '--no-install-recommends', ...packages];
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, signal, timeoutMs: 600_000 };
  if ((await tryProgram(install, options)).status === 0) return;
  await runProgram([...apt, 'update'], options);
  await runProgram(install, options);
}
