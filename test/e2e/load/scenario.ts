/** One verb, or one trouble, under load and under the sampler's eyes: what every scenario must show. */
import { expect } from 'vitest';
import type { Stage } from '../stage.ts';
import { GAP_LIMIT_MS, type LoadWish, loadStage, RATE_LIMIT, type StageLoad, tellFigures } from './on-stage.ts';
import type { LoadReport } from './order.ts';
import { type Sampled, startSampler } from './sampler.ts';

export interface Outcome {
  readonly report: LoadReport;
  readonly sampled: Sampled;
}

export interface Scenario extends LoadWish {
  /** The figures' name. */
  readonly name: string;
}

/** Runs `act` with the load and the sampler beside it, and prints the figures under the scenario's name. */
export async function underLoad(
  stage: Stage,
  wish: string | Scenario,
  act: (load: StageLoad) => Promise<void>,
): Promise<Outcome> {
  const { name: scenario, ...order }: Scenario = typeof wish === 'string' ? { name: wish } : wish;
  const load = await loadStage(stage, order);
  const sampler = startSampler(stage);
  const finish = async (): Promise<Outcome> => {
    const report = await load.end();
    tellFigures(scenario, report);
    return { report, sampled: await sampler.stop() };
  };
  try {
    await act(load).catch(async (error: unknown) => {
      // What failed first is what is told.
      await finish().catch((other: unknown) => console.log(`${scenario}: no figures: ${String(other)}`));
      throw error;
    });
    return await finish();
  } finally {
    await sampler.stop();
    await load.kill();
  }
}

/**
 * Longest that a cluster is without a quorum where a host is lost while another member stops: that one waits 7 s for the answers that it
 * owes (embed.Close and ReqTimeout of etcd), comes back, and elects with the third.
 */
const TWO_GONE_LIMIT_MS = 15_000;

/**
 * Where a gap is a faulty host's own: nothing is lost, nothing fails, and nobody is cut off. `mayCoincide`: in these phases the host is
 * lost at the begin of a rolling stage. Between the look before a turn and the restart lies a tenth of a second, and what falls into it
 * takes the quorum until the restarted member is back: then requests may fail for so long, and no longer.
 */
export function expectSafe({ report, sampled }: Outcome, mayCoincide: (phase: string) => boolean = () => false): void {
  expect(sampled.problems).toEqual([]);
  const together = report.phases.filter(({ name }) => mayCoincide(name));
  expect(together.filter((each) => each.longestGapMs >= TWO_GONE_LIMIT_MS)).toEqual([]);
  const failed = report.phases.filter((each) => each.failed > 0 && !together.includes(each));
  expect({ failed, examples: failed.length > 0 ? report.failures : [] }).toEqual({ failed: [], examples: [] });
  expect(report.total).toMatchObject({ stale: 0 });
  expect(report.store).toMatchObject({ lost: 0, examples: [], strangers: 0, hashesEqual: true });
}

/** No acknowledged write lost, no request failed after retries on other members, no long gap, 50 writes a second all the time; never a pair that does not fit, nor a stranger among peers. */
export function expectUndisturbed(outcome: Outcome): void {
  expectSafe(outcome);
  const { report } = outcome;
  expect(report.store.looked).toBe(report.total.acknowledged);
  expect(report.total.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
  expect(report.total.acknowledged / report.total.seconds).toBeGreaterThan(RATE_LIMIT);
}
