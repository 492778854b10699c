/** Upgrades and a downgrade killed by SIGKILL behind every single step, and run again, under load: every member on one version, no write lost, never two down. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt, plannedStages } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const names = ['etcd-1', 'etcd-2', 'etcd-3'];

describe('killed behind every single step', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'upgrade-steps', version: '3.5.35', releases: ['3.6.16', '3.7.3'] });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  const stepsLeft = async (verb: readonly string[]): Promise<readonly string[]> =>
    (await plannedStages(stage, verb)).flatMap((each) => each.steps.map((step) => step.id));

  /** Each run is killed behind the first step that is left and was not killed behind yet, until there is none. */
  async function killAll(verb: readonly string[]): Promise<readonly string[]> {
    const killed: string[] = [];
    for (;;) {
      const next = (await stepsLeft(verb)).find((each) => !killed.includes(each));
      if (next === undefined) {
        expectDone(await stage.quorate([...verb, '--yes']));
        return killed;
      }
      await killAt(stage, verb, next);
      killed.push(next);
    }
  }

  it.each([
    { verb: ['upgrade', '--to', '3.7.3', '--via', '3.6.16'], from: '3.5.35', to: '3.7.3' },
    { verb: ['downgrade', '--to', '3.6.16'], from: '3.7.3', to: '3.6.16' },
  ])('$verb goes on', { timeout: 1_200_000 }, async ({ verb, from, to }) => {
    await stage.edit((text) => text.replace(/^( *version: ).*$/m, `$1${from}`));
    const wanted = await stepsLeft(verb);
    let killed: readonly string[] = [];
    const outcome = await underLoad(stage, `${verb.join(' ')}, killed behind every step`, async () => {
      killed = await killAll(verb);
    });
    console.log(`${verb.join(' ')}: killed ${killed.length} times, behind ${killed.join(' ')}`);
    expectUndisturbed(outcome);
    const stagesOf = (ids: readonly string[]): readonly string[] => [
      ...new Set(ids.map((id) => id.split('/')[0] ?? '')),
    ];
    // What is awaited behind a roll stands in the stage `met` once the roll is over.
    const stages = stagesOf(wanted).filter((each) => !each.endsWith('-await'));
    expect(stagesOf(killed)).toEqual(expect.arrayContaining([...stages]));
    // The leader has its turn last, so the others are done where the plan names it first; and steps of one script that was begun go on without their run.
    expect(killed.length).toBeGreaterThan(wanted.length / 3);
    for (const name of names) {
      expect(await stage.lab.host(name).sh('readlink /usr/local/bin/etcd')).toBe(`/usr/local/lib/etcd/${to}/etcd\n`);
    }
    await stage.edit((text) => text.replace(/^( *version: ).*$/m, `$1${to}`));
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });
});
