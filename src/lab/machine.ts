/** One host as processes: a detached systemd-nspawn that outlives this process, and what is known about it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clearGroups, makeGroups } from './cgroup.ts';
import { type HostRecord, hostFolder, type LabPlace, type LabRecord } from './state.ts';

/** The host's first process: enough to tell it from a later process with the same number. */
export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)). */
  readonly startTicks: string;
  readonly bootId: string;
}

/**
 * Enters the host's control groups, writes itself down, and becomes the machine's supervisor in a mount namespace of
 * its own, so that the host's layers are mounted nowhere else and vanish with it. A machine that reboots makes
 * systemd-nspawn end with status 133 (systemd-nspawn(1), --keep-unit). `/run` is private because nspawn leaves things there.
 */
const launchScript = `set -eu
umask 022
lower=$1 bridge=$2 machine=$3 name=$4
shift 4
for group; do echo $$ > "$group/cgroup.procs"; done
read -r line < /proc/$$/stat
set -- \${line##*) }
read -r boot < /proc/sys/kernel/random/boot_id
echo "$$ \${20} $boot" > process.new
mv process.new process
export lower bridge machine name
exec unshare --mount --propagation private sh -c '
mount -t overlay overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" root || exit 1
mount -t tmpfs -o mode=755 tmpfs /run || exit 1
status=133
while [ $status = 133 ]; do
  systemd-nspawn --quiet --boot --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \\
    --console=pipe --network-bridge="$bridge" --machine="$machine" --hostname="$name" --directory=root
  status=$?
done'
`;

/** Starts a host; returns when its first process runs, long before the host has booted. */
export async function launchMachine(place: LabPlace, record: LabRecord, host: HostRecord): Promise<void> {
  const folder = hostFolder(place, host.name);
  const groups = await makeGroups(place.id, host.name, record.memoryBytes);
  const console = await open(join(folder, 'console.log'), 'a');
  try {
    const argv = [record.image, record.bridge, host.machine, host.name, ...groups];
    const supervisor = spawn('sh', ['-c', launchScript, 'sh', ...argv], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', console.fd, console.fd],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    supervisor.unref();
    await once(supervisor, 'spawn');
  } finally {
    await console.close();
  }
}

/** Ends a host at once, as if its power had gone, and returns when none of its processes is left. */
export async function killMachine(place: LabPlace, host: string): Promise<void> {
  await clearGroups(place.id, host);
  await rm(join(hostFolder(place, host), 'process'), { force: true });
}

/** The host's systemd (its process 1) as a process number of this machine; undefined while there is none. */
export async function initOf(place: LabPlace, host: string): Promise<number | undefined> {
  const supervisor = await supervisorOf(place, host);
  if (supervisor === undefined) return undefined;
  for (const nspawn of await childrenOf(supervisor)) {
    for (const child of await childrenOf(nspawn)) if ((await commandOf(child)) === 'systemd') return child;
  }
  return undefined;
}

/** The host's supervising process if it is still the one that was written down; undefined when the host is off. */
export async function supervisorOf(place: LabPlace, host: string): Promise<number | undefined> {
  const text = await readFile(join(hostFolder(place, host), 'process'), 'utf8').catch(() => '');
  const recorded = parseProcess(text);
  if (recorded === undefined) return undefined;
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const stat = await readFile(`/proc/${recorded.pid}/stat`, 'utf8').catch(() => '');
  const same = recorded.bootId === bootId && startTicksOf(stat) === recorded.startTicks;
  return same ? recorded.pid : undefined;
}

/** Reads what a host's first process wrote down about itself; undefined for anything else. */
export function parseProcess(text: string): ProcessRecord | undefined {
  const match = /^([1-9]\d*) (\d+) ([0-9a-f-]{36})\n$/.exec(text);
  if (match === null) return undefined;
  const [, pid = '', startTicks = '', bootId = ''] = match;
  return { pid: Number(pid), startTicks, bootId };
}

/** When a process started, from `/proc/PID/stat`; undefined for a process that is gone or a zombie. */
export function startTicksOf(stat: string): string | undefined {
  // The command's name may hold spaces and brackets: fields count from behind its last bracket, where field 3 begins.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** The last lines that a host wrote to its console. */
export async function consoleTail(place: LabPlace, host: string): Promise<string> {
  const text = await readFile(join(hostFolder(place, host), 'console.log'), 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-10).join('\n');
}

/** Empties a host's console log, so that what follows is about the next start. */
export async function clearConsole(place: LabPlace, host: string): Promise<void> {
  await writeFile(join(hostFolder(place, host), 'console.log'), '');
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

async function commandOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
}
