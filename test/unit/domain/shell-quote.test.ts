import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote } from '../../../src/domain/shell-quote.ts';

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
  'a~b',
  'if',
  '[a-z]',
  '{a,b}',
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
    expect(() => quote('a\0b')).toThrow(expect.objectContaining({ code: 'inventory' }));
  });

  it('leaves a harmless word as it is, for people to read', () => {
    for (const word of ['/usr/local/bin/etcd', 'etcd-1', 'a@b:c,d', '100%', '-n']) expect(quote(word)).toBe(word);
  });

  it.each(['sh', 'bash'])('keeps %s from taking a command for a word of its own', (shell) => {
    for (const word of ['if', 'then', 'do', 'case', 'for', 'while', 'time', '!', '{', '}', '[[', 'a=b', '~']) {
      const script = `PATH=/nowhere; ${quote(word)} 2>/dev/null; echo $?`;
      expect([word, execFileSync(shell, ['-c', script], { encoding: 'utf8' })]).toEqual([word, '127\n']);
    }
  });
});
