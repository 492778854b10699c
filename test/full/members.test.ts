/** Members come, go and are replaced in every way on hosts, while clients write and read: nothing is lost, and the longest gap is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killThrough } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { GAP_LIMIT_MS } from '../e2e/load/on-stage.ts';
import { expectUndisturbed, type Outcome, underLoad } from '../e2e/load/scenario.ts';
import { expectMembers, expectOrder, formedOfFirst, inventoryOf, membersOf } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const five = ['etcd-1', 'etcd-2', 'etcd-3', 'etcd-4', 'etcd-5'];
const yes = '--yes';

/** What the fault does may cost a moment; the verb behind it may not, and no acknowledged write is lost in either. */
function expectKept({ report, sampled }: Outcome): void {
  expect(sampled.problems).toEqual([]);
  expect(report.failures).toEqual([]);
  expect(report.total).toMatchObject({ failed: 0, stale: 0 });
  expect(report.store).toMatchObject({ lost: 0, examples: [], strangers: 0, hashesEqual: true });
  expect(report.phases.at(-1)?.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
}

describe('members', () => {
  let stage: Stage;
  let whole = '';
  beforeAll(async () => {
    stage = await openStage({ name: 'members-full', hosts: 6 });
    whole = await formedOfFirst(stage);
  });
  afterAll(() => stage?.down());

  const have = (names: readonly string[]): Promise<void> => stage.edit(() => inventoryOf(whole, names));

  async function expectEnd(names: readonly string[]): Promise<void> {
    await expectMembers(stage, names);
    await expectOrder(stage);
  }

  it.each([
    { from: 1, to: 3 },
    { from: 3, to: 5 },
  ])('grow from $from to $to in one command', { timeout: 900_000 }, async ({ from, to }) => {
    await have(five.slice(0, to));
    const act = async (): Promise<void> => {
      expectDone(await stage.quorate(['member', 'add', yes]));
    };
    const members = { asked: five.slice(0, from), atEnd: five.slice(0, to) };
    expectUndisturbed(await underLoad(stage, { name: `member add, ${from} → ${to} members`, members }, act));
    await expectEnd(five.slice(0, to));
  });

  const wipe = async (name: string): Promise<void> => {
    await stage.lab.host(name).sh('systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf /var/lib/etcd/member');
  };
  const cut = (name: string): Promise<void> => stage.lab.host(name).powerCut();
  const nothing = async (): Promise<void> => undefined;

  /** Five members, and the sixth host is free: who goes, who comes, and what happens to the one that goes. */
  const replacements = [
    { what: 'a wiped disk, follower', goes: 'etcd-2', leads: 'etcd-1', comes: undefined, fault: wipe },
    { what: 'a wiped disk, leader', goes: 'etcd-2', leads: 'etcd-2', comes: undefined, fault: wipe },
    { what: 'a dead host by a new one, follower', goes: 'etcd-2', leads: 'etcd-1', comes: 'etcd-6', fault: cut },
    { what: 'a dead host by a new one, leader', goes: 'etcd-6', leads: 'etcd-6', comes: 'etcd-2', fault: cut },
    { what: 'moved alive, follower', goes: 'etcd-2', leads: 'etcd-1', comes: 'etcd-6', fault: nothing },
    { what: 'moved alive, leader', goes: 'etcd-6', leads: 'etcd-6', comes: 'etcd-2', fault: nothing },
    { what: 'rebuilt on its own host, leader', goes: 'etcd-2', leads: 'etcd-2', comes: undefined, fault: nothing },
  ];

  it.each(replacements)('replace: $what', { timeout: 900_000 }, async ({ what, goes, leads, comes, fault }) => {
    const before = [...(await membersOf(stage)).keys()];
    const free = comes === undefined ? undefined : stage.lab.host(comes);
    if (free !== undefined && !(await free.isRunning())) {
      // Its member is gone from the cluster since: it is made a host without one before it comes again.
      await free.start();
      await have([...before, comes ?? '']);
      expectDone(await stage.quorate(['member', 'remove', comes ?? '', yes]));
    }
    await have([...before, ...(comes === undefined ? [] : [comes])]);
    expectDone(await stage.quorate(['member', 'move-leader', leads, yes]));
    const kept = before.filter((each) => each !== goes);
    const after = [...kept, comes ?? goes].sort();
    const ids = await membersOf(stage);
    const act = async (load: { phase(name: string): Promise<unknown> }): Promise<void> => {
      await load.phase('the fault');
      await fault(goes);
      // Who is elected in its place is the fault's part.
      if (fault !== nothing) await sleep(4_000);
      await load.phase('replace');
      expectDone(
        await stage.quorate(['member', 'replace', goes, ...(comes === undefined ? [] : ['--with', comes]), yes]),
      );
    };
    const members = { asked: kept, atEnd: after };
    expectKept(await underLoad(stage, { name: `member replace, ${what}, 5 members`, members }, act));
    await have(after);
    const now = await membersOf(stage);
    for (const name of kept) expect(now.get(name)).toBe(ids.get(name));
    expect([...ids.values()]).not.toContain(now.get(comes ?? goes));
    await expectEnd(after);
  });

  it('are replaced killed behind every stage, and go on with one new ID', { timeout: 900_000 }, async () => {
    const before = await membersOf(stage);
    await wipe('etcd-3');
    expect((await stage.quorate(['plan'])).stderr).toContain('quorate member replace etcd-3');
    const killed = await killThrough(stage, {
      verb: ['member', 'replace', 'etcd-3'],
      points: (stages) => stages.map((each) => `stage:${each.id}`),
    });
    expect(killed).toEqual(
      expect.arrayContaining([
        'stage:goal',
        'stage:remove-etcd-3',
        'stage:clean-etcd-3',
        'stage:add-etcd-3',
        'stage:start-etcd-3',
        'stage:join-etcd-3',
      ]),
    );
    const after = await membersOf(stage);
    expect([...before.values()].filter((each) => [...after.values()].includes(each))).toHaveLength(4);
    await expectEnd(five);
  });

  it('are left as learners where they cannot catch up, and taken back when that is asked', {
    timeout: 300_000,
  }, async () => {
    await have([...five, 'etcd-6']);
    const host = stage.lab.host('etcd-6');
    await host.cutPort(2380);
    const stuck = await stage.quorate(['member', 'add', 'etcd-6', '--patience', '1m', yes]);
    expect([stuck.status, stuck.stderr]).toEqual([14, expect.stringMatching(/etcd-6: has not caught up.*learner/s)]);
    const again = await stage.quorate(['member', 'list', '--json']);
    expect(JSON.parse(again.stdout).members).toContainEqual(
      expect.objectContaining({ name: 'etcd-6', state: 'never started' }),
    );
    expectDone(await stage.quorate(['member', 'remove', 'etcd-6', yes]));
    await host.openPorts();
    await have(five);
    await expectEnd(five);
  });

  it('shrink from 5 to 3, the leader among those that go, and the last ones stay', { timeout: 600_000 }, async () => {
    expectDone(await stage.quorate(['member', 'move-leader', 'etcd-5', yes]));
    const act = async (): Promise<void> => {
      expectDone(await stage.quorate(['member', 'remove', 'etcd-4', 'etcd-5', yes]));
    };
    const members = { asked: five.slice(0, 3), atEnd: five.slice(0, 3) };
    expectUndisturbed(await underLoad(stage, { name: 'member remove, 5 → 3 members, the leader too', members }, act));
    await have(five.slice(0, 3));
    await expectEnd(five.slice(0, 3));
    for (const name of ['etcd-4', 'etcd-5']) {
      const left = 'systemctl is-enabled etcd; systemctl is-active etcd; ls -d /var/lib/etcd.*; true';
      expect(await stage.lab.host(name).sh(left)).toMatch(
        /^disabled\n(inactive|failed)\n\/var\/lib\/etcd\.\d{8}T\d{6}Z\n/,
      );
    }
    const last = await stage.quorate(['member', 'remove', ...five.slice(0, 3), yes]);
    expect([last.status, last.stderr]).toEqual([13, expect.stringContaining('last member')]);
  });
});
