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
      // Whole platforms, two at once on homes and ports of their own: each leaves its core idle half of the time.
      { test: { ...shared, name: 'portal', include: ['packages/portal/test/**/*.test.ts'], globalSetup: ['packages/portal/test/unpack-chromium.ts'], testTimeout: 120_000, hookTimeout: 180_000 } },
      { test: { ...shared, name: 'whole', include: ['packages/server/test/whole/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
})
