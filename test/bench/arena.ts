/** The lab that all tools work on: its hosts, the files that each puts there, and a wipe between two runs. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabHost } from '../../src/lab/host.ts';
import { downLab, type Lab, upLab } from '../../src/lab/lab.ts';
import { labInventory } from '../../src/lab/lab-inventory.ts';
import { type Mirror, startMirror } from '../../src/lab/mirror.ts';
import { ensureRelease, type Release } from '../../src/lab/releases.ts';
import type { Say } from '../../src/lab/say.ts';
import { program, root } from './files.ts';
import { measure } from './measure.ts';

/** etcd's version in every run. */
const VERSION = '3.6.16';

export interface Arena {
  readonly lab: Lab;
  readonly release: Release;
  /** Serves `release` on the lab's bridge. */
  readonly mirror: Mirror;
  /** A folder for everything that the tools write on this machine. */
  readonly work: string;
  /** quorate's inventory. */
  readonly inventory: string;
  /** What quorate renders for each host, made ready for a first start: `rendered/HOST/etc/…`. */
  readonly rendered: string;
  readonly signal: AbortSignal;
  /** Brings hosts and operator back to the beginning. */
  wipe(): Promise<void>;
  down(): Promise<void>;
}

/** Makes a lab of three hosts and everything that the tools need beside it. */
export async function openArena(say: Say, signal: AbortSignal): Promise<Arena> {
  const labs = { root: join(root, '.lab') };
  await downLab('bench', labs);
  const release = await ensureRelease(VERSION, { say, signal });
  const hosts = ['etcd-1', 'etcd-2', 'etcd-3'];
  say('making a lab of three hosts');
  const lab = await upLab('bench', { ...labs, hosts, packages: ['python3'], say, signal });
  const work = join(lab.folder, 'work');
  await mkdir(work, { mode: 0o700 });
  const inventory = join(work, 'quorate.yml');
  const binaries = { source: 'file', path: release.tarball };
  await writeFile(inventory, labInventory(lab, { name: 'bench', version: VERSION, binaries }));
  const mirror = await startMirror(release.root, lab.gateway);
  const rendered = await renderForFirstStart({ lab, inventory, work, signal });
  const wipe = async (): Promise<void> => {
    await Promise.all(lab.hosts.map(wipeHost));
    for (const each of ['.quorate', 'identity.txt', 'quorate.lock.yml', 'ansible', 'pyinfra', 'pki']) {
      await rm(join(work, each), { recursive: true, force: true });
    }
  };
  const down = async (): Promise<void> => {
    await mirror.close();
    await downLab('bench', labs);
  };
  return { lab, release, mirror, work, inventory, rendered, signal, wipe, down };
}

/** Removes all that a run leaves on a host, from behind sshd's back, and waits until the disk has it. */
export async function wipeHost(host: LabHost): Promise<void> {
  await host.sh(`systemctl kill --signal=KILL etcd.service 2>/dev/null || :
systemctl stop etcd.service 2>/dev/null || :
systemctl disable etcd.service 2>/dev/null || :
systemctl reset-failed etcd.service 2>/dev/null || :
rm -rf /etc/etcd /var/lib/etcd /var/lib/etcd.* /var/lib/quorate /run/quorate /run/etcd /usr/local/lib/etcd \\
  /usr/local/lib/etcd.* /usr/local/bin/etcd* /etc/systemd/system/etcd.service /run/systemd/system/etcd.service.d \\
  /etc/profile.d/etcdctl.sh /etc/bash_completion.d/etcdctl /home/ops/.ansible /tmp/pyinfra-* /root/.ansible
userdel etcd 2>/dev/null || :
groupdel etcd 2>/dev/null || :
systemctl daemon-reload
sync`);
}

/** The files of `quorate render`, with a token and with the state that a first start needs. */
async function renderForFirstStart(input: Pick<Arena, 'lab' | 'inventory' | 'work' | 'signal'>): Promise<string> {
  const folder = join(input.work, 'rendered');
  const argv = [process.execPath, program, 'render', '-i', input.inventory, '--out', folder];
  await measure(argv, { signal: input.signal });
  const token = randomBytes(16).toString('hex');
  for (const { name } of input.lab.hosts) {
    const file = join(folder, name, 'etc/etcd/etcd-config.yml');
    const text = await readFile(file, 'utf8');
    const first = text
      .replace(/^initial-cluster-state:.*$/m, 'initial-cluster-state: "new"')
      .replace(/^initial-cluster-token:.*$/m, `initial-cluster-token: "${token}"`);
    await writeFile(file, first);
  }
  return folder;
}
