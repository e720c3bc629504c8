import { defineConfig } from 'vitest/config'

const shared = { testTimeout: 30_000, hookTimeout: 60_000, pool: 'forks' as const }

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'parts', include: ['packages/{contract,agent,cli,portal}/src/**/*.test.ts', 'packages/{agent,cli}/test/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'server',
          include: ['packages/server/src/**/*.test.ts', 'packages/server/test/*.test.ts'],
          globalSetup: ['packages/server/test/database-server.ts'],
        },
      },
      { test: { ...shared, name: 'portal', include: ['packages/portal/test/**/*.test.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 180_000 } },
      // Whole platforms: one at a time, so that two cores are enough for their deadlines.
      { test: { ...shared, name: 'whole', include: ['packages/server/test/whole/**/*.test.ts'], fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
})
