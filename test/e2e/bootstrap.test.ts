/** Bootstrap of each etcd minor on real hosts; the oldest and the newest through a reboot and a reset too, those between in test/full. */
import { describe } from 'vitest';
import { testedVersions } from '../../src/lab/releases.ts';
import { formingTests, outlivingTests } from './bootstrap-scenario.ts';

const ends = [testedVersions.at(0), testedVersions.at(-1)];

describe.each([...testedVersions])('bootstrap of etcd %s', (version) => {
  const stage = formingTests(version);
  if (ends.includes(version)) outlivingTests(stage);
});
