import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { afterMark } from '../../../src/transport/marks.ts';

async function cut(chunks: readonly Uint8Array[]): Promise<{ rest: string; early: string; found: number }> {
  let early = '';
  let found = 0;
  const mark = afterMark('MARK', {
    onEarly: (text) => {
      early = text;
    },
    onMark: () => {
      found += 1;
    },
  });
  const rest = await buffer(Readable.from(chunks.map((chunk) => Buffer.from(chunk))).pipe(mark));
  return { rest: rest.toString('latin1'), early, found };
}

it('gives exactly what follows the first mark, however the bytes are cut into chunks', async () => {
  const text = fc.string({ unit: 'binary-ascii', maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(text, text, fc.array(fc.nat(40)), async (before, after, cuts) => {
      fc.pre(!`${before}MAR`.includes('MARK'));
      const whole = Buffer.from(`${before}MARK${after}MARK`, 'latin1');
      const ends = [...cuts.map((at) => Math.min(at, whole.length)), whole.length].sort((a, b) => a - b);
      const chunks = ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end));
      expect(await cut(chunks)).toEqual({ rest: `${after}MARK`, early: before, found: 1 });
    }),
    { numRuns: 300 },
  );
});

it('finds the mark after more noise than it keeps', async () => {
  const noise = Buffer.alloc(1_000_000, 'x');
  const { rest, early } = await cut([noise, Buffer.from('MA'), Buffer.from('RKrest')]);
  expect(rest).toBe('rest');
  expect(early.length).toBeLessThan(70_000);
});

it('gives nothing when the mark never comes', async () => {
  expect(await cut([Buffer.from('only noise')])).toEqual({ rest: '', early: 'only noise', found: 0 });
});
