import { describe, expect, it } from 'vitest';
import {
  type Contest,
  type Issuing,
  judgeContest,
  judgeCrowd,
  judgeIssuing,
  judgeRolling,
  judgeStartup,
} from '../../bench/limits.ts';
import { type Spread, spreadOf } from '../../bench/measure.ts';

const always = (value: number): Spread => spreadOf([value]);
const MIB = 1024 * 1024;

describe('the spread of several runs', () => {
  it('has the middle one as median, or the mean of both in the middle', () => {
    expect(spreadOf([5, 1, 100])).toEqual({ median: 5, min: 1, max: 100, count: 3 });
    expect(spreadOf([4, 1, 100, 6])).toEqual({ median: 5, min: 1, max: 100, count: 4 });
    expect(spreadOf([7]).median).toBe(7);
  });

  it('sorts numbers as numbers', () => {
    expect(spreadOf([9, 10, 100]).median).toBe(10);
  });

  it('is of something', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('the limits of issue 3', () => {
  const contest: Contest = {
    deploy: { quorate: always(3000), ansible: always(15_000), pyinfra: always(6000), floor: always(1875) },
    again: { quorate: always(400), ansible: always(8000), pyinfra: always(2000) },
  };

  it('hold where quorate is exactly as fast as each of them asks for', () => {
    expect(judgeContest(contest).map(({ measured, holds }) => [measured, holds])).toEqual([
      ['0.20', true],
      ['0.50', true],
      ['1.6', true],
      ['0.050', true],
      ['0.20', true],
    ]);
  });

  it('are missed one by one where it is a little slower than that', () => {
    const slower = { ...contest, deploy: { ...contest.deploy, quorate: always(3001) } };
    expect(judgeContest(slower).map(({ holds }) => holds)).toEqual([false, false, false, true, true]);
    const replans = { ...contest, again: { ...contest.again, quorate: always(401) } };
    expect(judgeContest(replans).map(({ holds }) => holds)).toEqual([true, true, true, false, false]);
  });

  it('compare medians, not the luckiest run', () => {
    const lucky = { ...contest, deploy: { ...contest.deploy, quorate: spreadOf([1, 4000, 4000]) } };
    expect(judgeContest(lucky)[0]?.holds).toBe(false);
  });

  it('take an empty Node from what a start costs', () => {
    expect(judgeStartup({ node: always(25), help: always(55), validate: always(85) })).toEqual([
      { what: '--help over an empty Node', limit: '≤ 30 ms', measured: '30 ms', holds: true },
      { what: 'validate over an empty Node', limit: '≤ 60 ms', measured: '60 ms', holds: true },
    ]);
    const missed = judgeStartup({ node: always(25), help: always(55.1), validate: always(85.1) });
    expect(missed.map(({ holds }) => holds)).toEqual([false, false]);
  });

  it('ask for the last point of the curve alone', () => {
    const point = { hosts: 100, plan: always(2800), peakBytes: always(200 * MIB) };
    const curve = [{ ...point, hosts: 30, plan: always(90_000) }, point];
    expect(judgeCrowd({ curve, pyinfra: always(28_000) }).map(({ holds }) => holds)).toEqual([true, true]);
    const heavy = [{ ...point, plan: always(2801), peakBytes: always(201 * MIB) }];
    expect(judgeCrowd({ curve: heavy, pyinfra: always(28_000) }).map(({ holds }) => holds)).toEqual([false, false]);
    expect(() => judgeCrowd({ curve: [], pyinfra: always(1) })).toThrow(RangeError);
  });

  it('count memory that was not measured as too much', () => {
    const curve = [{ hosts: 100, plan: always(1), peakBytes: always(Number.POSITIVE_INFINITY) }];
    expect(judgeCrowd({ curve, pyinfra: always(28_000) })[1]?.holds).toBe(false);
  });
});

describe('the limits of issue 4', () => {
  const rates = { quorate: always(100), bare: always(150), shell: always(10) };
  const issuing = (each: typeof rates, algorithm: string): Issuing => ({
    rates: [{ algorithm, cores: 1, rates: each }],
    peakBytes: always(150 * MIB),
  });

  it('hold RSA against the bare cost', () => {
    const [verdict] = judgeIssuing(issuing(rates, 'rsa-2048'));
    expect(verdict).toMatchObject({ limit: '≤ 1.5', measured: '1.5', holds: true });
    expect(judgeIssuing(issuing({ ...rates, quorate: always(99) }, 'rsa-2048'))[0]?.holds).toBe(false);
  });

  it('hold ECDSA against the shell loop', () => {
    const [verdict] = judgeIssuing(issuing(rates, 'ecdsa-p256'));
    expect(verdict).toMatchObject({ limit: '≤ 0.10', measured: '0.10', holds: true });
    expect(judgeIssuing(issuing({ ...rates, quorate: always(99) }, 'ecdsa-p256'))[0]?.holds).toBe(false);
  });

  it('hold the memory of many at once', () => {
    expect(judgeIssuing(issuing(rates, 'rsa-2048')).at(-1)).toMatchObject({ measured: '150 MiB', holds: true });
  });
});

describe('the limit of issue 5', () => {
  it('holds up to 3 s over the loop', () => {
    const judge = (quorate: number) => judgeRolling({ quorate: always(quorate), loop: always(20_000) })[0]?.holds;
    expect([judge(23_000), judge(23_001)]).toEqual([true, false]);
  });
});
