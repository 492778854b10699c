import { defineConfig } from 'vitest/config';

const full = process.env['QUORATE_TEST_FULL'] === '1';

/** Hosts share the machine: one file at a time. */
const onHosts = { testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false } as const;

export default defineConfig({
  test: {
    globalSetup: 'test/judges.ts',
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/plans/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...onHosts } },
      // Long: every minor, every step. Off unless it is asked for (npm run test:full).
      ...(full ? [{ test: { name: 'full', include: ['test/full/**/*.test.ts'], ...onHosts } }] : []),
    ],
  },
});
