/** What test/e2e/bootstrap.test.ts leaves out of the minors between the oldest and the newest. */
import { describe } from 'vitest';
import { testedVersions } from '../../src/lab/releases.ts';
import { formingTests, outlivingTests } from '../e2e/bootstrap-scenario.ts';

describe.each(testedVersions.slice(1, -1))('bootstrap of etcd %s', (version) => {
  outlivingTests(formingTests(version));
});
