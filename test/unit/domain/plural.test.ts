import { expect, it } from 'vitest';
import { agreeing, counted } from '../../../src/domain/plural.ts';

it('counts one as one, and everything else as many', () => {
  expect([counted(1, 'host'), counted(0, 'host'), counted(2, 'host')]).toEqual(['1 host', '0 hosts', '2 hosts']);
  expect([agreeing(1, 'is', 'are'), agreeing(2, 'is', 'are')]).toEqual(['is', 'are']);
});
