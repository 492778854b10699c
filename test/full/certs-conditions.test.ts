/** A host that goes bad before or in the middle of a rotation: the run refuses or stops where it is safe, and goes on once the host is well. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Condition,
  conditions,
  expectExplained,
  stageBegun,
  tellRun,
  untilHealthy,
} from '../e2e/bad-conditions.ts';
import { expectInOrder, killAt } from '../e2e/certs-scenarios.ts';
import { expectDone, until } from '../e2e/environment.ts';
import { expectSafe, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const rotation = ['certs', 'rotate'];

const rotationStages = ['prepare', 'put', 'switch'];

/** Each point that `certs rotate-ca` may be asked to halt at, whether the host is ill before it, and the stages before it within which it gets so. */
const [firstPoint, ...laterPoints] = [
  { point: 'trust-both', before: true, within: ['trust-both-prepare', 'trust-both-roll'] },
  { point: 'leaves', before: true, within: [] },
  { point: 'trust-new', before: false, within: ['trust-new-roll'] },
  { point: 'drop-cross', before: true, within: [] },
] as const;

function pointsOf({ everyPoint }: Condition) {
  const later = laterPoints.map(({ point, before, within }) =>
    everyPoint ? { point, before, within } : { point, before: false, within: [] },
  );
  return [firstPoint, ...later];
}

describe.each(conditions)('with one host $name', { timeout: 900_000 }, (condition) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `ill-${conditions.indexOf(condition)}` });
    await stage.bootstrap();
    await condition.arrange?.(stage.host(2));
  });
  afterAll(() => stage?.down());

  it('certs rotate that was begun does not go on, and goes on afterwards', async () => {
    const outcome = await underLoad(stage, `certs rotate, one host ${condition.name}`, async (load) => {
      await killAt(stage, rotation, 'stage:issue');
      await load.phase('ill behind issue');
      await expectStops(stage, rotation, condition);
      await load.phase('well');
      expectDone(await stage.quorate([...rotation, '--yes']));
    });
    expectSafe(outcome);
    await expectInOrder(stage);
  });

  it.runIf(condition.meets.length > 0)('certs rotate that meets it in one of its stages is safe', async () => {
    const outcome = await underLoad(stage, `certs rotate, one host gets ${condition.name}`, async (load) => {
      for (const each of metOf(condition, rotationStages)) {
        await load.phase(`ill in ${each}`);
        // What the run before left undone may not come by this stage any more: then it ends, and another one does.
        const met = await meet(stage, rotation, { condition, at: each });
        if (!met) expect(await meet(stage, rotation, { condition, at: each })).toBe(true);
      }
      await load.phase('well');
      expectDone(await stage.quorate([...rotation, '--yes']));
    });
    expectSafe(outcome);
    await expectInOrder(stage);
  });

  it('certs rotate-ca waits for it before and within its stages', async () => {
    const outcome = await underLoad(stage, `certs rotate-ca, one host ${condition.name}`, async (load) => {
      for (const client of ['old-certificate', 'old-trust']) await load.retire(client);
      for (const { point, before, within } of pointsOf(condition)) {
        const verb = ['certs', 'rotate-ca', '--until', point];
        const stop = async (): Promise<void> => {
          await load.phase(`ill before ${point}`);
          await expectStops(stage, verb, condition);
        };
        // A run that makes the host well by restarting it is over then, and comes by no stage of this point any more.
        if (before && !condition.endsByRestart) await stop();
        for (const each of metOf(condition, within)) {
          await load.phase(`ill in ${each}`);
          expect(await meet(stage, verb, { condition, at: each })).toBe(true);
        }
        if (before && condition.endsByRestart) await stop();
        await load.phase(`to ${point}`);
        expectDone(await stage.quorate([...verb, '--yes']));
        await load.renewClients();
      }
    });
    expectSafe(outcome, inRoll);
    await expectInOrder(stage);
  });
});

function inRoll(phase: string): boolean {
  return phase === 'ill in trust-both-roll' || phase === 'ill in trust-new-roll';
}

function metOf({ meets }: Condition, stages: readonly string[]): readonly string[] {
  return stages.filter((each) => meets.includes(each));
}

/** The run says why it does not go on, and nobody is worse off: once the host is well, the cluster is healthy without being touched. */
async function expectStops(stage: Stage, verb: readonly string[], condition: Condition): Promise<void> {
  const host = stage.host(2);
  await condition.begin(host);
  try {
    const run = await stage.quorate([...verb, '--yes']);
    tellRun(`${verb.join(' ')}, etcd-2 ${condition.name}`, run);
    if (run.status !== 0) expectExplained(run, host.name);
    else expect(condition.endsByRestart).toBe(true);
  } finally {
    await condition.end(host);
  }
  await untilWell(stage);
}

interface Meeting {
  readonly condition: Condition;
  /** The stage at whose begin the host goes bad. */
  readonly at: string;
}

/**
 * The run ends well, where the host had its turn before, or it says why it does not go on. Whether it came by the stage: false only for
 * a run that had so little left to do.
 */
async function meet(stage: Stage, verb: readonly string[], { condition, at }: Meeting): Promise<boolean> {
  const host = stage.host(2);
  const running = stage.start([...verb, '--yes']);
  const begun = await stageBegun(stage, running, at);
  if (begun) await condition.begin(host);
  try {
    const run = await running.ended;
    tellRun(`${verb.join(' ')}, etcd-2 ${condition.name} in ${at}${begun ? '' : ' (it did not come by)'}`, run);
    if (run.status !== 0) expectExplained(run, host.name);
    if (!begun) expectDone(run);
  } finally {
    await condition.end(host);
  }
  await untilWell(stage);
  return begun;
}

/** Healthy, and no lock left of a connection that broke: its host notices that by limits of its own. */
async function untilWell(stage: Stage): Promise<void> {
  await untilHealthy(stage);
  const unlocked = async () => ((await stage.quorate(['unlock'])).status === 0 ? true : undefined);
  await until('no host is locked', unlocked, 150_000);
}
