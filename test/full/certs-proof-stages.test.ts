/** `certs rotate-ca` while clients write, through every stage; each kind of old client lives until the stage that ends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectInOrder, rotateCaUnderLoad } from '../e2e/certs-scenarios.ts';
import { retriesOf } from '../e2e/load/on-stage.ts';
import { expectUndisturbed } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

describe('certs rotate-ca', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'proof-stages' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('replaces both authorities without a lost write, a failed request or a refused handshake', {
    timeout: 900_000,
  }, async () => {
    const outcome = await rotateCaUnderLoad(stage, 'certs rotate-ca, 3.6.16, 3 members');
    expectUndisturbed(outcome);
    expect(Object.keys(retriesOf(outcome.report.total)).filter((cause) => /^(tls|identity):/.test(cause))).toEqual([]);
    for (const [port, [first, ...others]] of Object.entries(outcome.sampled.served)) {
      expect(first, port).toMatch(/ CA 1 [0-9a-f]+$/);
      expect(others.join(), port).toMatch(/ CA 2 [0-9a-f]+ < .* CA 1 [0-9a-f]+,.* CA 2 [0-9a-f]+$/);
    }
    await expectInOrder(stage);
  });
});
