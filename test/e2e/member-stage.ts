/** Stages whose inventory grows and shrinks, and what must hold of members afterwards. */
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { expectDone } from './environment.ts';
import type { Stage } from './stage.ts';

/** An inventory with these controllers alone, and with some that are to leave. */
export function inventoryOf(whole: string, names: readonly string[], absent: readonly string[] = []): string {
  const inventory: { controllers: Record<string, object> } = parse(whole);
  const all = Object.entries(inventory.controllers);
  const kept = all.filter(([name]) => names.includes(name));
  const leaving = all
    .filter(([name]) => absent.includes(name))
    .map(([name, each]) => [name, { ...each, state: 'absent' }]);
  return stringify({ ...inventory, controllers: Object.fromEntries([...kept, ...leaving]) });
}

/** Bootstraps with the first controllers alone; the inventory of all. */
export async function formedOfFirst(stage: Stage, count = 1): Promise<string> {
  const whole = await readFile(stage.inventory, 'utf8');
  const names = stage.lab.hosts.slice(0, count).map((each) => each.name);
  const first = inventoryOf(whole, names);
  await stage.edit(() => first);
  await stage.bootstrap();
  return whole;
}

/** IDs by name, as the cluster lists them. */
export async function membersOf(stage: Stage): Promise<ReadonlyMap<string, string>> {
  const run = expectDone(await stage.quorate(['member', 'list', '--json']));
  const { members }: { members: readonly { name: string; id: string }[] } = JSON.parse(run.stdout);
  return new Map(members.map(({ name, id }) => [name, id]));
}

/** Exactly these are members, healthy, with a vote, marked with the ID that the list has. */
export async function expectMembers(stage: Stage, names: readonly string[]): Promise<void> {
  const run = expectDone(await stage.quorate(['member', 'list', '--json']));
  const { members, notMembers } = JSON.parse(run.stdout);
  expect(notMembers).toEqual([]);
  expect(members.map((each: { name: string }) => each.name)).toEqual(names);
  for (const { state, healthy } of members)
    expect({ state, healthy }).toEqual({ state: expect.stringMatching(/^(leader|voter)$/), healthy: true });
  for (const { name, id } of members) {
    const marker = JSON.parse(await stage.lab.host(name).sh('cat /var/lib/quorate/marker.json'));
    expect(marker).toMatchObject({ memberId: id });
    const config = await stage.lab.host(name).sh("grep '^initial-cluster:' /etc/etcd/etcd-config.yml");
    for (const each of names) expect(config).toContain(`${each}=`);
    expect(config.split(',')).toHaveLength(names.length);
  }
}

/** Nothing is left to do, all is healthy, and all voters hold the same data. */
export async function expectOrder(stage: Stage): Promise<void> {
  const plan = expectDone(await stage.quorate(['plan']));
  expect(plan.stdout).toContain('nothing to do');
  expect((await stage.quorate(['status'])).status).toBe(0);
  const hashes = await Promise.all(
    [...(await membersOf(stage)).keys()].map(async (name) => {
      const host = stage.lab.host(name);
      const text = await host.sh(['bash', '--login', '-c', 'etcdctl endpoint hashkv -w json']);
      return JSON.parse(text)[0].HashKV.hash;
    }),
  );
  expect(new Set(hashes).size).toBe(1);
}
