/** A grow and a replacement killed by SIGKILL behind every single step, and run again, while clients write and read: one new member, and no write lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Killing, killAt, plannedStages } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectMembers, expectOrder, formedOfFirst, membersOf } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const GOAL = 'goal/operator/goal.set';

describe('killed behind every single step', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'member-steps', hosts: 4 });
    const whole = await formedOfFirst(stage, 3);
    await stage.edit(() => whole);
  });
  afterAll(() => stage?.down());

  /** The operator's and one host's: those of the others are the same. */
  const stepsOf =
    (host: string): Killing['points'] =>
    (stages) =>
      stages
        .flatMap((each) => each.steps.map((step) => step.id))
        .filter((id) => /\/operator\//.test(id) || id.includes(`/${host}/`));

  /** Each run is killed behind the first step that is left and was not killed behind yet, until nothing is left. */
  async function killAll(verb: readonly string[], host: string): Promise<readonly string[]> {
    const points = stepsOf(host);
    const killed: string[] = [];
    for (;;) {
      const left = points(await plannedStages(stage, verb));
      // A goal that is set anew is another replacement: the one that was killed has come to its end.
      if (killed.includes(GOAL) && left.includes(GOAL)) return killed;
      const next = left.find((each) => !killed.includes(each));
      if (next === undefined) {
        expectDone(await stage.quorate([...verb, '--yes']));
        return killed;
      }
      await killAt(stage, verb, next);
      killed.push(next);
    }
  }

  async function kill(verb: readonly string[], host: string): Promise<void> {
    const wanted = stepsOf(host)(await plannedStages(stage, verb));
    const killed = await killAll(verb, host);
    console.log(`${verb.join(' ')}: killed ${killed.length} times, behind ${killed.join(' ')}`);
    // A script that was begun goes on without its run: steps of one script that stand behind the one that was killed may be done.
    expect(killed.length).toBeGreaterThan(wanted.length / 2);
  }

  it('a grow goes on, with one ID', { timeout: 900_000 }, async () => {
    const members = { asked: ['etcd-1', 'etcd-2', 'etcd-3'], atEnd: ['etcd-1', 'etcd-2', 'etcd-3', 'etcd-4'] };
    const before = await membersOf(stage);
    const outcome = await underLoad(stage, { name: 'member add, killed behind every step', members }, () =>
      kill(['member', 'add', 'etcd-4'], 'etcd-4'),
    );
    expectUndisturbed(outcome);
    const after = await membersOf(stage);
    for (const [name, id] of before) expect(after.get(name)).toBe(id);
    await expectMembers(stage, members.atEnd);
    await expectOrder(stage);
  });

  it('a replacement of a wiped disk goes on, with one new ID', { timeout: 900_000 }, async () => {
    const members = { asked: ['etcd-1', 'etcd-3', 'etcd-4'], atEnd: ['etcd-1', 'etcd-2', 'etcd-3', 'etcd-4'] };
    const before = await membersOf(stage);
    await stage.host(2).sh('systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf /var/lib/etcd/member');
    const outcome = await underLoad(stage, { name: 'member replace, killed behind every step', members }, () =>
      kill(['member', 'replace', 'etcd-2'], 'etcd-2'),
    );
    expectUndisturbed(outcome);
    const after = await membersOf(stage);
    for (const name of members.asked) expect(after.get(name)).toBe(before.get(name));
    expect(after.get('etcd-2')).not.toBe(before.get('etcd-2'));
    await expectMembers(stage, members.atEnd);
    await expectOrder(stage);
  });
});
