import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clean, cut, duration, wrap } from '../../../src/ui/text.ts';

describe('clean', () => {
  it('leaves nothing that moves the cursor or reorders text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(clean(text)).not.toMatch(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
    expect(clean('a\u001b[31mb\rc\u0007\u009b\r\n\td')).toBe('a␛[31mb␍c␇\ufffd\n\td');
  });
});

describe('wrap', () => {
  it('keeps every word, and every line within the width where words allow', () => {
    const words = fc.array(fc.string({ minLength: 1, maxLength: 9, unit: fc.constantFrom('a', 'b', '/') }));
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 60 }), (all, width) => {
        const lines = wrap(all.join(' '), width, '  - ');
        expect(lines.join(' ').replace('  -', '').split(/\s+/).filter(Boolean)).toEqual(all);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('cut', () => {
  it('gives at most the width, on one line', () => {
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(cut('abcd', 4)).toBe('abcd');
    expect(cut('a\n  b', 9)).toBe('a b');
    expect(cut('abc', 0)).toBe('');
    expect(cut('abc', Number.POSITIVE_INFINITY)).toBe('abc');
  });
});

it('words durations', () => {
  expect([0, 12.4, 999, 1000, 59_949, 59_960, 125_000, 3_720_000].map(duration)).toEqual([
    '0 ms',
    '12 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min 0 s',
    '2 min 5 s',
    '1 h 2 min',
  ]);
});
