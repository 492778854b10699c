/** Lengths of time as people write them on the command line. */
import { QuorateError } from './errors.ts';

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of `30d`, `12h`, `90m`, `2w`; throws `usage`, naming the option, for anything else. */
export function parseDuration(text: string, option: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const known = Object.entries(unitMs).find(([name]) => name === unit)?.[1];
  if (known !== undefined) return Number(number) * known;
  throw new QuorateError('usage', `${option} ${text}: is no length of time`, {
    hint: 'a number and m, h, d or w: 30d, 12h',
  });
}

/** The largest unit that still says something: `364 d`, `5 h`, `12 min`, `0 min`. */
export function printDuration(lengthMs: number): string {
  if (lengthMs >= 2 * unitMs.d) return `${Math.floor(lengthMs / unitMs.d)} d`;
  if (lengthMs >= unitMs.h) return `${Math.floor(lengthMs / unitMs.h)} h`;
  return `${Math.floor(Math.max(0, lengthMs) / unitMs.m)} min`;
}
