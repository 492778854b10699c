import { defineConfig } from 'vitest/config';

const full = process.env['QUORATE_TEST_FULL'] === '1';

export default defineConfig({
  test: {
    globalSetup: 'test/judges.ts',
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/plans/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'e2e',
          include: full ? ['test/e2e/**/*.test.ts', 'test/full/**/*.test.ts'] : ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
