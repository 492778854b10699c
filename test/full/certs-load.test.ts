/** Rotations under load on every minor of etcd, on three and five members. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testedVersions } from '../../src/lab/releases.ts';
import { expectInOrder, rotateCaUnderLoad, rotateUnderLoad } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { retriesOf } from '../e2e/load/on-stage.ts';
import { expectUndisturbed, type Outcome, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const [oldest] = testedVersions;

/** The two usual verbs on every minor, and each number of members on an older and a newer one; certs-steps has the other ways of `rotate-ca`. */
const arenas = testedVersions.map((version, index) => ({ version, hosts: index % 2 === 0 ? 3 : 5 }));

describe.each(arenas)('etcd $version on $hosts members', { timeout: 900_000 }, ({ version, hosts }) => {
  let stage: Stage;
  const where = `${version}, ${hosts} members`;
  const rotateCa = async (...args: readonly string[]): Promise<void> => {
    expectDone(await stage.quorate(['certs', 'rotate-ca', ...args, '--yes']));
  };
  beforeAll(async () => {
    stage = await openStage({ name: `load-${version.replaceAll('.', '-')}-${hosts}`, version, hosts });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('rotates certificates', async () => {
    expectUndisturbed(await rotateUnderLoad(stage, `certs rotate, ${where}`));
    await expectInOrder(stage);
  });

  it('rotates its authorities; each kind of old client lives until the stage that ends it', async () => {
    const outcome = await rotateCaUnderLoad(stage, `certs rotate-ca, ${where}`);
    expectUndisturbed(outcome);
    expectSmooth(outcome);
    for (const [port, [first, ...others]] of Object.entries(outcome.sampled.served)) {
      expect(first, port).toMatch(/ CA 1 [0-9a-f]+$/);
      expect(others.join(), port).toMatch(/ CA 2 [0-9a-f]+ < .* CA 1 [0-9a-f]+,.* CA 2 [0-9a-f]+$/);
    }
    await expectInOrder(stage);
  });

  it.runIf(version === oldest)('takes a rotation back', async () => {
    const outcome = await underLoad(stage, `certs rotate-ca --abort, ${where}`, async (load) => {
      for (const point of ['trust-both', 'leaves']) {
        await load.phase(`to ${point}`);
        await rotateCa('--until', point);
        await load.phase(`back from ${point}`);
        await rotateCa('--abort');
      }
      await load.phase('settled');
      await sleep(1_500);
    });
    expectUndisturbed(outcome);
    expectSmooth(outcome);
    await expectInOrder(stage);
  });
});

describe('certs rotate-ca', { timeout: 900_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'load-one' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('replaces the authority of the peers alone, which no client notices', async () => {
    const outcome = await underLoad(stage, 'certs rotate-ca --authority peer, 3.6.16, 3 members', async (load) => {
      await load.phase('rotate');
      const verb = ['certs', 'rotate-ca', '--authority', 'peer', '--until', 'drop-cross', '--yes'];
      expectDone(await stage.quorate(verb));
      await load.phase('rotated');
      await sleep(1_500);
    });
    expectUndisturbed(outcome);
    expectSmooth(outcome);
    for (const [port, issuers] of Object.entries(outcome.sampled.served)) {
      const last = port.endsWith(':2380') ? / CA 2 [0-9a-f]+$/ : / CA 1 [0-9a-f]+$/;
      expect(issuers.at(-1), port).toMatch(last);
    }
    await expectInOrder(stage);
  });

  it('--abort is refused once members no longer trust the old authority', async () => {
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--until', 'trust-new', '--yes']));
    const run = await stage.quorate(['certs', 'rotate-ca', '--abort', '--yes']);
    expect(run.status).toBe(13);
    expect(run.stderr).toMatch(/no way back/);
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--until', 'drop-cross', '--yes']));
    // The load's own is of the authority before: check calls that critical.
    expectDone(await stage.quorate(['certs', 'client', 'issue', 'load', '--out', 'load', '--force']));
    await expectInOrder(stage);
  });
});

/** No attempt of any client was refused because of certificates, retried or not. */
function expectSmooth({ report }: Outcome): void {
  expect(Object.keys(retriesOf(report.total)).filter((cause) => /^(tls|identity):/.test(cause))).toEqual([]);
}
