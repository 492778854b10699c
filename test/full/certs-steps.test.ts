/** Rotations killed behind every single step, and run again: always on, and never a moment in which a member is cut off. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInOrder, type Killing, killThrough, plannedStages } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

type Points = Killing['points'];

/** The operator's and one host's: those of the others are the same. */
const everyStep: Points = (stages) =>
  stages.flatMap((each) => each.steps.map((step) => step.id)).filter((id) => !/\/etcd-[13]\b/.test(id));

const everyStage: Points = (stages) => stages.map((each) => `stage:${each.id}`);

/** The other ways of `certs rotate-ca` are made of the steps of the usual one, in other stages. */
const killings: readonly { readonly verb: readonly string[]; readonly behind: string; readonly points: Points }[] = [
  { verb: ['certs', 'rotate'], behind: 'step', points: everyStep },
  { verb: ['certs', 'rotate-ca', '--until', 'drop-cross'], behind: 'step', points: everyStep },
  { verb: ['certs', 'rotate-ca', '--cross-sign', '--until', 'drop-cross'], behind: 'stage', points: everyStage },
  { verb: ['certs', 'rotate-ca', '--renew'], behind: 'stage', points: everyStage },
];

describe.each(killings)('$verb killed behind every $behind', ({ verb, behind, points }) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `certs-steps-${killings.findIndex((each) => each.verb === verb)}` });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('goes on', { timeout: 3_600_000 }, async () => {
    const wanted = points(await plannedStages(stage, verb));
    let killed: readonly string[] = [];
    const outcome = await underLoad(stage, `${verb.join(' ')}, killed behind every ${behind}`, async (load) => {
      // Those two live until stages that this run passes.
      for (const client of ['old-certificate', 'old-trust']) await load.retire(client);
      await load.phase('killed');
      killed = await killThrough(stage, {
        verb,
        points,
        before: async (point) => {
          if (/^(stage:trust-new$|trust-new[/])/.test(point)) await load.renewClients();
        },
      });
    });
    console.log(`${verb.join(' ')}: killed ${killed.length} times, behind ${killed.join(' ')}`);
    expectUndisturbed(outcome);
    // A script that was begun goes on without its run: steps of one script that stand behind the one that was killed may be done.
    expect(killed.length).toBeGreaterThan(wanted.length / 2);
    expectDone(await stage.quorate(['certs', 'rotate', '--due', '--yes']));
    await expectInOrder(stage);
  });
});
