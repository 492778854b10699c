import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createSlots } from '../../../src/transport/slots.ts';

it('lets no more than the limit in, first come first served, and counts a slot given back twice once', async () => {
  const take = createSlots(2);
  const entered: number[] = [];
  const releases = [1, 2, 3, 4].map(async (name) => {
    const release = await take();
    entered.push(name);
    return release;
  });
  await turn();
  expect(entered).toEqual([1, 2]);
  const first = await releases[0];
  first?.();
  first?.();
  await turn();
  expect(entered).toEqual([1, 2, 3]);
});
