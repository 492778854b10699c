/** A control group of its own for every lab and host: it keeps the machines' systemds apart and says whose processes are whose. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { systemCode } from '../domain/system-error.ts';

/** The mounted control group hierarchies that matter here. */
export interface Hierarchies {
  /** Where systemd keeps its tree: `name=systemd` (version 1), the unified one (version 2), or both (hybrid). */
  readonly tracking: readonly string[];
  /** Where memory is limited; undefined when that controller is nowhere. */
  readonly memory: { readonly path: string; readonly file: 'memory.limit_in_bytes' | 'memory.max' } | undefined;
}

/** Reads the hierarchies out of `/proc/self/mountinfo` (proc(5)). */
export function parseHierarchies(mountinfo: string): Hierarchies {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const path = left?.split(' ')[4];
    const [type, , options] = right?.split(' ') ?? [];
    return path === undefined || type === undefined ? [] : [{ path, type, options: options?.split(',') ?? [] }];
  });
  const unified = mounts.filter((mount) => mount.type === 'cgroup2');
  const named = mounts.filter((mount) => mount.type === 'cgroup' && mount.options.includes('name=systemd'));
  const memory = mounts.find((mount) => mount.type === 'cgroup' && mount.options.includes('memory'));
  const pure = named.length === 0 ? unified[0] : undefined;
  return {
    tracking: [...new Set([...named, ...unified].map((mount) => mount.path))],
    memory:
      memory !== undefined
        ? { path: memory.path, file: 'memory.limit_in_bytes' }
        : pure && { path: pure.path, file: 'memory.max' },
  };
}

/** The hierarchies of this machine. */
async function readHierarchies(): Promise<Hierarchies> {
  return parseHierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Makes a host's groups and returns their folders, for its first process to enter. */
export async function makeGroups(id: string, host: string, memoryBytes: number | undefined): Promise<string[]> {
  const { tracking, memory } = await readHierarchies();
  const folders = tracking.map((path) => groupFolder(path, id, host));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  if (memoryBytes === undefined) return folders;
  if (memory === undefined) {
    throw new QuorateError('refused', `${host}: memory cannot be limited: this machine has no memory control group`);
  }
  const limited = groupFolder(memory.path, id, host);
  if (memory.file === 'memory.max') await delegateMemory(memory.path, id);
  await mkdir(limited, { recursive: true });
  await writeFile(join(limited, memory.file), String(memoryBytes));
  return [...new Set([...folders, limited])];
}

/** Ends every process of a lab, or of one of its hosts, and removes the groups. Throws `step-failed` if one outlives 10 s. */
export async function clearGroups(id: string, host = ''): Promise<void> {
  const folders = await groupFolders(id, host);
  for (let round = 0; ; round += 1) {
    const alive = (await Promise.all(folders.map(processesBelow))).flat();
    if (alive.length === 0 && (await removeAll(folders))) break;
    if (round === 999) throw new QuorateError('step-failed', `lab ${id}: process ${alive[0] ?? ''} does not end`);
    for (const pid of alive) kill(pid);
    await sleep(10);
  }
  if (host === '') for (const folder of await groupFolders('', '')) await rmdir(folder).catch(() => undefined);
}

/** Whether anything of a lab, or of one of its hosts, still has a group. */
export async function hasGroups(id: string): Promise<boolean> {
  const found = await Promise.all((await groupFolders(id, '')).map((folder) => readdir(folder).catch(() => undefined)));
  return found.some((entries) => entries !== undefined);
}

async function groupFolders(id: string, host: string): Promise<string[]> {
  const { tracking, memory } = await readHierarchies();
  const roots = new Set([...tracking, ...(memory === undefined ? [] : [memory.path])]);
  return [...roots].map((path) => groupFolder(path, id, host));
}

function groupFolder(hierarchy: string, id: string, host: string): string {
  return join(hierarchy, 'quorate-lab', id, host);
}

async function delegateMemory(hierarchy: string, id: string): Promise<void> {
  await mkdir(groupFolder(hierarchy, id, ''), { recursive: true });
  for (const folder of [hierarchy, join(hierarchy, 'quorate-lab'), groupFolder(hierarchy, id, '')]) {
    await writeFile(join(folder, 'cgroup.subtree_control'), '+memory');
  }
}

async function processesBelow(folder: string): Promise<number[]> {
  const own = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  const below = await Promise.all((await childFolders(folder)).map(processesBelow));
  return [...own.split('\n').filter(Boolean).map(Number), ...below.flat()].filter((pid) => pid > 1);
}

/** False where a process has entered one since they were empty: a host that was being launched. Without its group it does not start. */
async function removeAll(folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) if (!(await removeBelow(folder))) return false;
  return true;
}

async function removeBelow(folder: string): Promise<boolean> {
  if (!(await removeAll(await childFolders(folder)))) return false;
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error;
    return code === 'ENOENT';
  }
}

async function childFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the reading and the killing.
  }
}
