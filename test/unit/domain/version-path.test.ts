import { describe, expect, it } from 'vitest';
import { downgradePath, upgradePath } from '../../../src/domain/version-path.ts';

const up = (running: readonly string[], to: string, ...via: readonly string[]): readonly string[] =>
  upgradePath(running, { to, via }).map((each) => `${each.from} → ${each.to}${each.changesMinor ? '' : ' (patch)'}`);
const down = (running: readonly string[], to: string, ...via: readonly string[]): readonly string[] =>
  downgradePath(running, { to, via }).map((each) => `${each.from} → ${each.to}${each.changesMinor ? '' : ' (patch)'}`);

describe('the way up', () => {
  it.each([
    [['3.6.16'], '3.6.16', []],
    [['3.6.14', '3.6.16'], '3.6.16', ['3.6.14 → 3.6.16 (patch)']],
    [['3.5.35'], '3.6.16', ['3.5.35 → 3.6.16']],
    [['3.4.23'], '3.5.35', ['3.4.23 → 3.5.35']],
    [['3.4.23'], '3.7.3', ['3.4.23 → 3.5.33', '3.5.33 → 3.6.14', '3.6.14 → 3.7.3']],
  ])('%s to %s', (running, to, hops) => {
    expect(up(running, to)).toEqual(hops);
  });

  it('goes to the least patch release first that the next minor wants', () => {
    expect(up(['3.5.16'], '3.6.16')).toEqual(['3.5.16 → 3.5.33 (patch)', '3.5.33 → 3.6.16']);
    expect(up(['3.6.10'], '3.7.3')).toEqual(['3.6.10 → 3.6.14 (patch)', '3.6.14 → 3.7.3']);
    expect(up(['3.5.32'], '3.6.16')).toEqual(['3.5.32 → 3.6.16']);
  });

  it('takes the releases that are named', () => {
    expect(up(['3.4.23'], '3.7.3', '3.5.35', '3.6.16')).toEqual([
      '3.4.23 → 3.5.35',
      '3.5.35 → 3.6.16',
      '3.6.16 → 3.7.3',
    ]);
    expect(() => up(['3.4.23'], '3.7.3', '3.5.31')).toThrow(/needs 3\.5\.32 or newer on every member before/);
    expect(() => up(['3.4.23'], '3.7.3', '3.5.33', '3.5.35')).toThrow(/same minor already/);
    expect(() => up(['3.4.23'], '3.7.3', '3.7.1')).toThrow(/same minor as 3\.7\.3/);
  });

  it('goes on in the middle of a hop, and does not go back for a patch release', () => {
    expect(up(['3.5.35', '3.6.16'], '3.7.3', '3.6.16')).toEqual(['3.5.35 → 3.6.16', '3.6.16 → 3.7.3']);
    expect(up(['3.5.16', '3.6.16'], '3.6.16')).toEqual(['3.5.16 → 3.6.16']);
  });

  it('refuses what is no upgrade, and members that are two minors apart', () => {
    expect(() => up(['3.6.16'], '3.6.14')).toThrow('etcd 3.6.16 runs, and 3.6.14 is older: that is no upgrade');
    expect(() => up(['3.4.23', '3.6.16'], '3.7.3')).toThrow(/neighbouring minors alone/);
  });
});

describe('the way down', () => {
  it.each([
    [['3.7.3'], '3.6.16', ['3.7.3 → 3.6.16']],
    [['3.6.16', '3.7.3'], '3.6.16', ['3.7.3 → 3.6.16']],
    [['3.7.3'], '3.5.35', ['3.7.3 → 3.6.14', '3.6.14 → 3.5.35']],
    [['3.6.16'], '3.6.14', ['3.6.16 → 3.6.14 (patch)']],
    [['3.6.14', '3.6.16'], '3.6.14', ['3.6.16 → 3.6.14 (patch)']],
    [['3.6.16'], '3.6.16', []],
  ])('%s to %s', (running, to, hops) => {
    expect(down(running, to)).toEqual(hops);
  });

  it('ends above 3.4, and goes down only', () => {
    expect(() => down(['3.5.35'], '3.4.45')).toThrow(/3\.4\.45 cannot be reached/);
    expect(() => down(['3.5.35'], '3.6.16')).toThrow(/that is no downgrade/);
  });
});
