/** `certs rotate-ca` while clients write, through every stage; each kind of old client lives until the stage that ends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInOrder, killThrough } from './certs-scenarios.ts';
import { expectUndisturbed, underLoad } from './load/scenario.ts';
import { openStage, type Stage } from './stage.ts';

describe('certs rotate-ca', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'proof-rotate-ca' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('killed behind each of its stages goes on, with every member trusting its peers at each moment', {
    timeout: 900_000,
  }, async () => {
    const outcome = await underLoad(stage, 'certs rotate-ca, killed behind every stage', async (load) => {
      for (const client of ['old-certificate', 'old-trust']) await load.retire(client);
      const killed = await killThrough(stage, {
        verb: ['certs', 'rotate-ca', '--until', 'drop-cross'],
        points: (stages) => stages.map((each) => `stage:${each.id}`),
        before: async (point) => {
          if (point === 'stage:trust-new') await load.renewClients();
          await load.phase(`killed behind ${point}`);
        },
      });
      // Behind drop-cross the store wants what it will want for good: what members lack then is brought to them as `settle`.
      for (const each of ['trust-both', 'trust-both-roll', 'leaves', 'leaves-roll', 'trust-new', 'trust-new-roll']) {
        expect(killed).toContain(`stage:${each}`);
      }
      for (const each of ['drop-cross', 'settle-roll', 'prune']) expect(killed).toContain(`stage:${each}`);
    });
    expectUndisturbed(outcome);
    await expectInOrder(stage);
  });
});
