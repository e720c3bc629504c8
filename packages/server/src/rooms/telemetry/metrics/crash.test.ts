/** What was acknowledged survives the end of every process of the database at once. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectDatabase, migrate, startEmbedded, type PgDatabase } from '../../../kernel/db/index.ts'
import { createLog } from '../../../kernel/log.ts'
import { flushStatement } from '../../../kernel/store/store.ts'
import { compactOnce } from './compact.ts'
import { seriesOf, serverOn, shop } from './testing.ts'

const log = createLog('silent', 'test')

interface Crashing {
  database: PgDatabase
  /** Kills every process of the database and starts it again. */
  crash(): Promise<void>
}

async function crashingDatabase(): Promise<Crashing> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior-pg-'))
  const start = () => startEmbedded({ directory: join(directory, 'data'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
  let embedded = await start()
  const database = await connectDatabase({ connection: embedded.connection, poolSize: 4, flushStatement, log })
  onTestFinished(async () => {
    await database.close()
    await embedded.stop()
    await rm(directory, { recursive: true, force: true })
  })
  await migrate(database, new URL('../../../../migrations', import.meta.url).pathname, log)
  return {
    database,
    crash: async () => {
      const { pid } = embedded
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
      for (const each of [pid, ...children]) {
        try {
          process.kill(each, 'SIGKILL')
        } catch {
          // A backend may have ended meanwhile.
        }
      }
      await embedded.exited
      embedded = await start()
    },
  }
}

test('points and totals that were acknowledged are there after each crash, once, whatever compaction did', async () => {
  const { database, crash } = await crashingDatabase()
  const { ingest, read, nowMs } = serverOn(database, {})
  const acknowledged: number[] = []
  let hits = 0
  const due = { batchMs: -1, batchBytes: 0, chunkBytes: 1 }
  for (let round = 0; round < 3; round++) {
    const writers = Array.from({ length: 20 }, (_, index) => {
      const number = round * 100 + index
      return ingest.take(shop, [seriesOf('jobs', [[nowMs - number * 1000, number]], { round: String(round) })]).then(() => void acknowledged.push(number), () => {})
    })
    const counting = ingest.take(shop, [{ ...seriesOf('hits_total', [[nowMs - 100_000 + round * 1000, 1]]), deltaFromMs: nowMs - 101_000 + round * 1000 }]).then(() => void hits++, () => {})
    const compacting = compactOnce(database, due).catch(() => false)
    // In the middle of everything, or a little later.
    if (round > 0) await Promise.all([...writers, counting])
    await crash()
    await Promise.all([...writers, counting, compacting])
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(40)
  const check = async (): Promise<void> => {
    const found = (await read('jobs')).flatMap(({ values }) => [...values])
    expect(new Set(found).size).toBe(found.length)
    for (const number of acknowledged) expect(found).toContain(number)
    expect((await read('hits_total'))[0]!.values.at(-1)).toBeGreaterThanOrEqual(hits)
  }
  await check()
  while (await compactOnce(database, due));
  await check()
})
