import { describe, expect, it } from 'vitest';
import { parseDuration, printDuration } from '../../../src/domain/duration.ts';

describe('lengths of time', () => {
  it.each([
    ['30d', 30 * 86_400_000],
    ['12h', 12 * 3_600_000],
    ['90m', 90 * 60_000],
    ['2w', 14 * 86_400_000],
    ['0d', 0],
  ])('reads %s', (text, ms) => expect(parseDuration(text, '--warn')).toBe(ms));

  it.each(['', '30', 'd', '-1d', '1.5d', '30 d', '30D', '99999999d', '1y'])('refuses %j, naming the option', (text) =>
    expect(() => parseDuration(text, '--warn')).toThrow(`--warn ${text}: is no length of time`),
  );

  it.each([
    [364.9 * 86_400_000, '364 d'],
    [30 * 3_600_000, '30 h'],
    [59_000, '0 min'],
    [-5, '0 min'],
  ])('prints %d', (ms, text) => expect(printDuration(ms)).toBe(text));
});
