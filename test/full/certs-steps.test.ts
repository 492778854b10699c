/** Rotations killed behind every single step, and run again: always on, and never a moment in which a member is cut off. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInOrder, killedAt, plannedStages } from '../e2e/certs-scenarios.ts';
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
    const wanted = await stepsOf(stage, verb);
    const killed = new Set<string>();
    const outcome = await underLoad(stage, `${verb.join(' ')}, killed behind every step`, async (load) => {
      // Those two live until stages that this run passes.
      for (const client of ['old-certificate', 'old-trust']) await load.retire(client);
      await load.phase('killed');
      for (let next = wanted[0]; next !== undefined; next = await following(stage, verb, killed)) {
        killed.add(next);
        expect(await killedAt(stage, verb, next), next).toBe(true);
        if (/^leaves-prove/.test(next)) await load.renewClients();
      }
    });
    expectUndisturbed(outcome);
    // A script that was begun goes on without its run: steps of one script that stand behind the one that was killed may be done.
    expect(killed.size).toBeGreaterThan(wanted.length / 2);
    expectDone(await stage.quorate(['certs', 'rotate', '--due', '--yes']));
    await expectInOrder(stage);
  });
});

/** The operator's and one host's: those of the others are the same. */
async function stepsOf(stage: Stage, verb: readonly string[]): Promise<readonly string[]> {
  const stages = await plannedStages(stage, verb);
  return stages.flatMap((each) => each.steps.map((step) => step.id)).filter((id) => !/\/etcd-[13]\b/.test(id));
}

/** The first step that is left to do and was not killed yet. */
async function following(
  stage: Stage,
  verb: readonly string[],
  killed: ReadonlySet<string>,
): Promise<string | undefined> {
  return (await stepsOf(stage, verb)).find((id) => !killed.has(id));
}
