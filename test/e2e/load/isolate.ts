/** Gives a lab's members their share of this machine's processors, as on hosts of their own: nice values are nothing between sessions (sched(7), autogroup). */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { labPlace } from '../../../src/lab/state.ts';
import type { Stage } from '../stage.ts';

const controller = '/sys/fs/cgroup/cpu';
const tracking = '/sys/fs/cgroup/systemd/quorate-lab';
/** 1024 is what every other session of this machine has. */
const SHARES = 32_768;

/**
 * Puts every process of the lab's hosts, and with them all that these start later, before the rest of this machine; `others` too.
 * Does nothing where there is no control group for processors to do it with.
 */
export async function isolate(stage: Stage, others: readonly number[]): Promise<void> {
  const { id } = labPlace(stage.lab.name, dirname(stage.lab.folder));
  if (!existsSync(join(controller, 'cpu.shares')) || !existsSync(join(tracking, id))) return;
  const group = join(controller, `quorate-proof-${id}`);
  await mkdir(group, { recursive: true });
  await writeFile(join(group, 'cpu.shares'), String(SHARES));
  for (const pid of [...(await processesBelow(join(tracking, id))), ...others]) {
    // Some end between being read and being moved.
    await writeFile(join(group, 'cgroup.procs'), String(pid)).catch(() => undefined);
  }
}

/** Removes the groups of labs that are gone. */
export async function removeEmptyGroups(): Promise<void> {
  const names = await readdir(controller).catch(() => []);
  for (const name of names.filter((each) => each.startsWith('quorate-proof-'))) {
    await rmdir(join(controller, name)).catch(() => undefined);
  }
}

/** A session of the host may end meanwhile, and its folder is gone then. */
async function processesBelow(folder: string): Promise<readonly number[]> {
  const procs = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  const own = procs.split('\n').filter(Boolean).map(Number);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return [...own, ...(await Promise.all(folders.map(processesBelow))).flat()];
}
