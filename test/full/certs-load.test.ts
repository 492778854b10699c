/** Rotations under load on every minor of etcd, on five members, and by every way that `certs rotate-ca` knows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testedVersions } from '../../src/lab/releases.ts';
import { expectInOrder, rotateCaUnderLoad, rotateUnderLoad } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const arenas = [
  ...testedVersions.map((version) => ({ version, hosts: 3 })),
  ...testedVersions.map((version) => ({ version, hosts: 5 })),
];

describe.each(arenas)('etcd $version on $hosts members', ({ version, hosts }) => {
  let stage: Stage;
  const where = `${version}, ${hosts} members`;
  beforeAll(async () => {
    stage = await openStage({ name: `load-${version.replaceAll('.', '-')}-${hosts}`, version, hosts });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('rotates certificates under load', async () => {
    expectUndisturbed(await rotateUnderLoad(stage, `certs rotate, ${where}`));
    await expectInOrder(stage);
  });

  it('rotates its authorities under load', async () => {
    expectUndisturbed(await rotateCaUnderLoad(stage, `certs rotate-ca, ${where}`));
    await expectInOrder(stage);
  });

  it('rotates its authorities with a cross certificate alone', async () => {
    expectUndisturbed(await rotateCaUnderLoad(stage, `certs rotate-ca --cross-sign, ${where}`, ['--cross-sign']));
    await expectInOrder(stage);
  });

  it('renews its authorities with the same keys', async () => {
    const outcome = await underLoad(stage, `certs rotate-ca --renew, ${where}`, async (load) => {
      await load.phase('renew');
      expectDone(await stage.quorate(['certs', 'rotate-ca', '--renew', '--yes']));
      await load.phase('renewed');
      await sleep(1_500);
    });
    expectUndisturbed(outcome);
    await expectInOrder(stage);
  });

  it.each(['trust-both', 'leaves'])('takes a rotation back that has come to %s', async (point) => {
    const outcome = await underLoad(stage, `certs rotate-ca --abort at ${point}, ${where}`, async (load) => {
      await load.phase(`to ${point}`);
      expectDone(await stage.quorate(['certs', 'rotate-ca', '--until', point, '--yes']));
      await load.phase('back');
      expectDone(await stage.quorate(['certs', 'rotate-ca', '--abort', '--yes']));
      await load.phase('settled');
      await sleep(1_500);
    });
    expectUndisturbed(outcome);
    await expectInOrder(stage);
  });
});

describe('certs rotate-ca --abort', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'load-late' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('is refused once members no longer trust the old authority', async () => {
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--until', 'trust-new', '--yes']));
    const run = await stage.quorate(['certs', 'rotate-ca', '--abort', '--yes']);
    expect(run.status).toBe(13);
    expect(run.stderr).toMatch(/no way back/);
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--until', 'drop-cross', '--yes']));
    await expectInOrder(stage);
  });
});
