import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote } from '../../../src/transport/quote.ts';

/** What a real shell makes of the words, told apart by NUL. */
function wordsOf(shell: string, words: readonly string[]): readonly string[] {
  const script = `printf '%s\\0' ${words.map(quote).join(' ')}`;
  const output = execFileSync(shell, ['-c', script], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return output.split('\0').slice(0, -1);
}

const hostile = [
  '',
  "'",
  "''",
  '"',
  '\\',
  "\\'",
  '$(id)',
  '`id`',
  '!!',
  '*',
  '~',
  '-n',
  'a\nb',
  '\n',
  ' ',
  '#',
  '\u0081é😀',
];

describe('quote', () => {
  it.each(['sh', 'bash'])('gives %s every hostile word back as it was', (shell) => {
    expect(wordsOf(shell, hostile)).toEqual(hostile);
  });

  it('gives any list of words back as it was', () => {
    const word = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constantFrom(...hostile));
    const words = word.map((text) => Buffer.from(text.replaceAll('\0', '')).toString());
    fc.assert(
      fc.property(fc.array(words, { minLength: 100, maxLength: 300 }), (list) => {
        expect(wordsOf('sh', list)).toEqual(list);
      }),
      { numRuns: 15 },
    );
  });

  it('refuses NUL, which no argument can hold', () => {
    expect(() => quote('a\0b')).toThrow(RangeError);
  });
});
