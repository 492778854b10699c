/** A host that goes bad in the middle of a rotation: the run refuses or stops where it is safe, and goes on once the host is well. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Condition, conditions, untilHealthy } from '../e2e/bad-conditions.ts';
import { expectInOrder, killAt } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import type { Outcome } from '../e2e/load/scenario.ts';
import { underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const rotation = ['certs', 'rotate'];

describe.each(conditions)('with one host $name', { timeout: 900_000 }, (condition) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `ill-${conditions.indexOf(condition)}` });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it.each(['operator', 'prepare', 'issue', 'put'])('certs rotate, stopped behind %s, waits for it', async (point) => {
    const outcome = await underLoad(stage, `certs rotate behind ${point}, one host ${condition.name}`, async (load) => {
      await killAt(stage, rotation, `stage:${point}`);
      await load.phase('ill');
      await expectStops(stage, rotation, condition);
      await load.phase('well');
      expectDone(await stage.quorate([...rotation, '--yes']));
    });
    expectSafe(outcome);
    await expectInOrder(stage);
  });

  it('certs rotate-ca waits for it in each of its stages', async () => {
    const outcome = await underLoad(stage, `certs rotate-ca, one host ${condition.name}`, async (load) => {
      for (const client of ['old-certificate', 'old-trust']) await load.retire(client);
      for (const point of ['trust-both', 'leaves', 'trust-new', 'drop-cross']) {
        const verb = ['certs', 'rotate-ca', '--until', point];
        await load.phase(`ill before ${point}`);
        await expectStops(stage, verb, condition);
        await load.phase(`to ${point}`);
        expectDone(await stage.quorate([...verb, '--yes']));
        await load.renewClients();
      }
    });
    expectSafe(outcome);
    await expectInOrder(stage);
  });
});

/** The run says why it does not go on, and nobody is worse off: once the host is well, the cluster is healthy without being touched. */
async function expectStops(stage: Stage, verb: readonly string[], condition: Condition): Promise<void> {
  const host = stage.host(2);
  await condition.begin(host);
  try {
    const run = await stage.quorate([...verb, '--yes']);
    console.log(
      `${verb.join(' ')}, etcd-2 ${condition.name}: ${run.status} ${run.stderr.split('\n').slice(-4).join(' / ')}`,
    );
    expect(run.status).not.toBe(0);
    expect(run.signal).toBeNull();
    expect(run.stderr).toContain('etcd-2');
    expect(run.stderr).not.toContain('internal error');
  } finally {
    await condition.end(host);
  }
  await untilHealthy(stage);
}

/** A gap is the host's own here: what matters is that nothing is lost, nothing fails, and nobody is cut off. */
function expectSafe({ report, sampled }: Outcome): void {
  expect(sampled.problems).toEqual([]);
  expect(report.failures).toEqual([]);
  expect(report.total).toMatchObject({ failed: 0, stale: 0 });
  expect(report.store).toMatchObject({ lost: 0, examples: [], strangers: 0, hashesEqual: true });
}
