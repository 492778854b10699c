/** What tests of bad environments share: other inventories for the same lab, what stands on a host, and what processes show. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type { LabHost } from '../../src/lab/host.ts';
import { killMembers, type Run, type Running, type RunOptions, type Stage } from './stage.ts';

interface Tree {
  readonly [key: string]: unknown;
}

/** A stage whose inventory can be other than the lab's own, one test at a time. */
export interface Wardrobe {
  /** The lab's inventory with `patch` merged into it; null takes a key away. */
  wear(patch: Tree): Promise<void>;
}

/** Remembers the inventory that the stage has now. */
export async function openWardrobe(stage: Stage): Promise<Wardrobe> {
  const original: unknown = parse(await readFile(stage.inventory, 'utf8'));
  return { wear: (patch) => writeFile(stage.inventory, stringify(merge(original, patch))) };
}

/** The exit status of a run that was refused; everything that it says on stderr is on one line of text. */
export function expectRefusal(run: Run, status: number): string {
  expect({ status: run.status, said: run.status === status ? '' : run.stdout + run.stderr }).toEqual({
    status,
    said: '',
  });
  expect(run.stderr).not.toContain('internal error');
  return run.stderr;
}

/** Fails with all that was said unless the run ended well. */
export function expectDone(run: Run): Run {
  expect({ status: run.status, said: run.status === 0 ? '' : run.stdout + run.stderr }).toEqual({
    status: 0,
    said: '',
  });
  return run;
}

/** Everything that quorate could change on a host, less the lock's own folder: paths with modes, owners, sizes, times and contents. */
async function picture(host: LabHost): Promise<string> {
  return host.sh(`for each in /etc /usr/local /opt /var/lib /run/systemd/system /run/quorate /home /root; do
  [ ! -e "$each" ] || find "$each" -xdev \\( -path /var/lib/systemd -o -path /var/lib/sudo -o -path '*/.cache' -o -path '*/.local' -o -path /var/lib/quorate \\) -prune -o -printf '%p %y %m %u:%g %s %T@ %l\\n'
done | grep -v '^/var/lib d ' | LC_ALL=C sort; ls /var/lib/quorate 2>&1 | grep -v -e lock.mutex -e lock.new -e 'No such' || true; systemctl list-units --all --no-legend 'etcd*'; id etcd 2>&1 || true`);
}

/** The pictures of all hosts of a stage. */
async function pictures(stage: Stage): Promise<readonly string[]> {
  return Promise.all(stage.lab.hosts.map(picture));
}

/** Runs quorate and proves that not one file on any host is other than before. */
export async function changesNothing(stage: Stage, run: () => Promise<Run>): Promise<Run> {
  const before = await pictures(stage);
  const ended = await run();
  const after = await pictures(stage);
  const other = after.flatMap((text, index) => linesBeyond(text, before[index] ?? ''));
  const gone = before.flatMap((text, index) => linesBeyond(text, after[index] ?? ''));
  expect({ other, gone }).toEqual({ other: [], gone: [] });
  return ended;
}

function linesBeyond(text: string, known: string): readonly string[] {
  const lines = new Set(known.split('\n'));
  return text.split('\n').filter((line) => !lines.has(line));
}

/** What processes of this machine and of its lab hosts showed in their arguments while `running` ran. */
export async function watchArguments(running: Running): Promise<{ readonly run: Run; readonly seen: string }> {
  const seen = new Set<string>();
  let over = false;
  const ended = running.ended.finally(() => {
    over = true;
  });
  while (!over) {
    for (const each of await readdir('/proc')) {
      if (!/^\d+$/.test(each)) continue;
      const text = await readFile(`/proc/${each}/cmdline`, 'utf8').catch(() => '');
      if (text !== '') seen.add(text.replaceAll('\0', ' '));
    }
    await sleep(20);
  }
  return { run: await ended, seen: [...seen].join('\n') };
}

/** All debug logs of a stage's operator, joined. */
export async function debugLogs(stage: Stage): Promise<string> {
  const folder = join(stage.folder, '.local', 'state', 'quorate', 'logs');
  const names = await readdir(folder).catch(() => []);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

/** Takes the cluster away again, data and PKI too, so that the next test begins with new hosts. */
export async function clearHosts(stage: Stage, options?: RunOptions): Promise<void> {
  await killMembers(stage);
  expectDone(await stage.quorate(['reset', '--yes-destroy', stage.cluster, '--delete-data'], options));
}

/** Waits until `look` finds something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain until ${what}`);
    await sleep(25);
  }
}

function merge(base: unknown, patch: unknown): unknown {
  if (!isTree(base) || !isTree(patch)) return patch;
  const keys = new Set([...Object.keys(base), ...Object.keys(patch)]);
  const entries = [...keys].map((key) => [key, key in patch ? merge(base[key], patch[key]) : base[key]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
