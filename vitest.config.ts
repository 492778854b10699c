import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

const full = process.env['QUORATE_TEST_FULL'] === '1';

const onHosts = { testTimeout: 300_000, hookTimeout: 600_000 } as const;

/** Hosts and terminals want the machine for themselves: one file at a time, behind the groups before. */
const alone = (groupOrder: number) => ({ fileParallelism: false, sequence: { groupOrder } }) as const;

export default defineConfig({
  test: {
    globalSetup: 'test/judges.ts',
    ...(full ? { sequence: { sequencer: LongestFirst } } : {}),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/plans/**/*.test.ts'],
          testTimeout: 30_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 60_000, ...alone(1) } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...onHosts, ...alone(2) } },
      // Long: every minor, every step. Off unless it is asked for (npm run test:full). Most of it waits for clusters: two files side by side.
      ...(full
        ? [
            {
              test: {
                name: 'full',
                include: ['test/full/**/*.test.ts'],
                ...onHosts,
                maxWorkers: 2,
                sequence: { groupOrder: 3 },
              },
            },
          ]
        : []),
    ],
  },
});
