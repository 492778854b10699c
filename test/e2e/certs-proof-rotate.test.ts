/** `certs rotate` while clients write: nothing is lost, nothing fails, and a run that was killed goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInOrder, killThrough, rotateUnderLoad } from './certs-scenarios.ts';
import { expectDone } from './environment.ts';
import { expectUndisturbed, underLoad } from './load/scenario.ts';
import { openStage, type Stage } from './stage.ts';

const verb = ['certs', 'rotate'];

describe('certs rotate', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'proof-rotate' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('loses no write, fails no request and makes no gap on three members', async () => {
    const outcome = await rotateUnderLoad(stage, 'certs rotate, 3.6.16, 3 members');
    expectUndisturbed(outcome);
    await expectInOrder(stage);
  });

  it('killed behind each of its stages goes on to one new generation, and serves no pair that does not fit', {
    timeout: 900_000,
  }, async () => {
    const before = await generations(stage);
    const outcome = await underLoad(stage, 'certs rotate, killed behind every stage', async (load) => {
      const killed = await killThrough(stage, {
        verb,
        points: (stages) => stages.map((each) => `stage:${each.id}`),
        before: async (point) => {
          await load.phase(`killed behind ${point}`);
        },
      });
      const names = ['operator', 'prepare', 'issue', 'put', 'switch', 'prove', 'prune', 'met'];
      expect(killed).toEqual(names.map((each) => `stage:${each}`));
    });
    expectUndisturbed(outcome);
    expect(await generations(stage)).toEqual(before.map((each) => each + 1));
    await expectInOrder(stage);
    expectDone(await stage.quorate([...verb, '--yes', '--due']));
    expect(await generations(stage)).toEqual(before.map((each) => each + 1));
  });
});

async function generations(stage: Stage): Promise<readonly number[]> {
  const links = await Promise.all(stage.lab.hosts.map((host) => host.sh('readlink /etc/etcd/pki')));
  return links.map((each) => Number(/^pki\.d\/(\d+)\n$/.exec(each)?.[1]));
}
