/** Rotations killed behind every single step, and run again: always on, and never a moment in which a member is cut off. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInOrder, killThrough, plannedStages } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const verbs: readonly (readonly string[])[] = [
  ['certs', 'rotate'],
  ['certs', 'rotate', '--keep-keys', '--kind', 'peer'],
  ['certs', 'rotate-ca', '--until', 'drop-cross'],
  ['certs', 'rotate-ca', '--cross-sign', '--until', 'drop-cross'],
  ['certs', 'rotate-ca', '--renew'],
];

describe('killed behind every single step', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'certs-steps' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it.each(verbs)('%s %s %s %s %s goes on', { timeout: 3_600_000 }, async (...words) => {
    const verb = words.filter((each) => each !== undefined);
    const wanted = stepsOf(await plannedStages(stage, verb));
    let killed: readonly string[] = [];
    const outcome = await underLoad(stage, `${verb.join(' ')}, killed behind every step`, async (load) => {
      // Those two live until stages that this run passes.
      for (const client of ['old-certificate', 'old-trust']) await load.retire(client);
      await load.phase('killed');
      killed = await killThrough(stage, {
        verb,
        points: stepsOf,
        before: async (point) => {
          if (/^trust-new[/]/.test(point)) await load.renewClients();
        },
      });
    });
    expectUndisturbed(outcome);
    // A script that was begun goes on without its run: steps of one script that stand behind the one that was killed may be done.
    expect(killed.length).toBeGreaterThan(wanted.length / 2);
    expectDone(await stage.quorate(['certs', 'rotate', '--due', '--yes']));
    await expectInOrder(stage);
  });
});

/** The operator's and one host's: those of the others are the same. */
function stepsOf(stages: Awaited<ReturnType<typeof plannedStages>>): readonly string[] {
  return stages.flatMap((each) => each.steps.map((step) => step.id)).filter((id) => !/\/etcd-[13]\b/.test(id));
}
