import { describe, expect, test } from 'vitest'
import { compactOnce, thinOutOnce } from './compact.ts'
import { day, pointsIn, seriesOf, shop, testMetrics } from './testing.ts'

/** Everything is due, in chunks as small as they can be. */
const due = { batchMs: -1, batchBytes: 0, chunkBytes: 1 }

describe('points', () => {
  test('are there as soon as they are taken, in order, of one time the last written, before and after compaction', async () => {
    const { database, ingest, read, nowMs } = await testMetrics()
    await ingest.take(shop, [seriesOf('jobs', [[nowMs - 2000, 2], [nowMs - 1000, 3]], { queue: 'a' }), seriesOf('jobs', [[nowMs, 7]], { queue: 'b' })])
    await ingest.take(shop, [seriesOf('jobs', [[nowMs - 1000, 30], [nowMs - 3000, 1]], { queue: 'a' })])
    const expected = [[[-3000, 1], [-2000, 2], [-1000, 30]], [[0, 7]]]
    const found = async (): Promise<unknown> => (await read('jobs')).map((series) => pointsIn(series, nowMs))
    expect(await found()).toEqual(expected)
    while (await compactOnce(database, due)) expect(await found()).toEqual(expected)
    expect((await database.query('select (select count(*)::int from metric_batches) as batches, (select count(*)::int from metric_blocks) as blocks')).rows).toEqual([{ batches: 0, blocks: 2 }])
    await ingest.take(shop, [seriesOf('jobs', [[nowMs - 1000, 31]], { queue: 'a' })])
    expect((await read('jobs'))[0]!.values[2]).toBe(31)
    while (await compactOnce(database, due));
    expect((await read('jobs'))[0]!.values[2]).toBe(31)
    expect((await read('jobs'))[0]!.labels).toEqual({ __name__: 'jobs', queue: 'a', team: 'blue', app: 'shop', environment: 'production' })
  })

  test('are selected as PromQL means it', async () => {
    const { ingest, read, nowMs, source } = await testMetrics()
    await ingest.take(shop, [seriesOf('jobs', [[nowMs, 1]], { queue: 'first' }), seriesOf('jobs', [[nowMs, 2]], { queue: 'second' }), seriesOf('jobs', [[nowMs, 3]])])
    const values = async (name: string, op: '=' | '!=' | '=~' | '!~', value: string, teams?: string[]): Promise<number[]> => (await read('jobs', { matchers: [{ name, op, value }], teams: teams ?? ['blue'] })).map((series) => series.values[0]!).toSorted()
    expect(await values('queue', '=', 'first')).toEqual([1])
    expect(await values('queue', '=', '')).toEqual([3])
    expect(await values('queue', '!=', 'first')).toEqual([2, 3])
    expect(await values('queue', '=~', 'f.*|none')).toEqual([1])
    expect(await values('queue', '=~', 'irs')).toEqual([])
    expect(await values('queue', '=~', '(?i)FIRST')).toEqual([1])
    expect(await values('queue', '!~', 's.+')).toEqual([1, 3])
    expect(await values('queue', '=~', 'f.*', ['green'])).toEqual([])
    await expect(values('queue', '=~', '(')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(values('queue', '=~', '(a)\\1')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    const early = { teams: undefined, matchers: [], fromMs: nowMs - 2000, untilMs: nowMs - 1 }
    expect(await source.series(early, new AbortController().signal)).toEqual([])
    expect(await source.series({ ...early, untilMs: nowMs }, new AbortController().signal)).toHaveLength(3)
  })

  test('say which series had one in a window, before and after compaction', async () => {
    const { database, ingest, nowMs, source } = await testMetrics()
    await ingest.take(shop, [seriesOf('jobs', [[nowMs - 9000, 1], [nowMs - 1000, 1]], { queue: 'gap' }), seriesOf('jobs', [[nowMs - 9000, 1], [nowMs - 5000, 1], [nowMs - 1000, 1]], { queue: 'busy' })])
    const seen = async (from: number, until: number): Promise<unknown> => (await source.series({ teams: ['blue'], matchers: [], fromMs: nowMs - from, untilMs: nowMs - until }, new AbortController().signal)).map(({ queue }) => queue).toSorted()
    for (let round = 0; round < 2; round++) {
      expect([await seen(6000, 4000), await seen(9000, 9000), await seen(2000, 0), await seen(500, 0)]).toEqual([['busy'], ['busy', 'gap'], ['busy', 'gap'], []])
      while (await compactOnce(database, due));
    }
  })

  test('of two servers are one series, and two that compact at once neither lose nor repeat any', async () => {
    const { database, ingest, read, nowMs, another } = await testMetrics()
    const other = another()
    await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? ingest : other.ingest).take(shop, [seriesOf('jobs', [[nowMs - index * 1000, index]])])))
    const compact = async (): Promise<void> => {
      for (let idle = 0; idle < 10; ) if (!(await compactOnce(database, due))) idle++
    }
    await Promise.all([compact(), compact(), ingest.take(shop, [seriesOf('jobs', [[nowMs + 1000, -1]])])])
    while (await compactOnce(database, due));
    const [series, ...more] = await read('jobs')
    expect(more).toEqual([])
    expect([...series!.values]).toEqual([...Array.from({ length: 40 }, (_, index) => 39 - index), -1])
    expect((await database.query('select count(*)::int as count from metric_series')).rows).toEqual([{ count: 1 }])
  })

  test('stay when compaction fails in its middle', async () => {
    const { database, ingest, read, nowMs } = await testMetrics()
    await ingest.take(shop, [seriesOf('jobs', [[nowMs, 1]])])
    await database.query('alter table metric_blocks add constraint full_disk check (points < 0)')
    await expect(compactOnce(database, due)).rejects.toThrow('full_disk')
    expect(await read('jobs')).toHaveLength(1)
    await database.query('alter table metric_blocks drop constraint full_disk')
    expect(await compactOnce(database, due)).toBe(true)
    expect((await read('jobs'))[0]!.values).toHaveLength(1)
  })

  test('fill blocks that are neither too small nor too large', async () => {
    const { database, ingest, read, nowMs } = await testMetrics()
    for (let part = 0; part < 10; part++) {
      await ingest.take(shop, [seriesOf('jobs', Array.from({ length: 100 }, (_, index) => [nowMs - 3_000_000 + (part * 100 + index) * 1000, index]))])
      while (await compactOnce(database, due));
    }
    expect((await database.query('select points from metric_blocks order by from_ms')).rows.map(({ points }) => points)).toEqual([300, 300, 300, 100])
    expect((await read('jobs'))[0]!.times).toHaveLength(1000)
  })

  test('get coarser with age, and a counter still rose by the same', async () => {
    const { database, ingest, read, nowMs } = await testMetrics()
    const begin = nowMs - 90_000_000
    const hits = Array.from({ length: 1200 }, (_, index): [number, number] => [begin + index * 10_000, index < 700 ? index : index - 700])
    await ingest.take(shop, [seriesOf('hits_total', hits), seriesOf('heat', hits)])
    while (await compactOnce(database, due));
    const minutes = { bucketMs: 60_000, keepMs: 14 * day }
    while (await thinOutOnce(database, 0, nowMs, minutes));
    const [counter, gauge] = [(await read('hits_total', { minutes: 2000 }))[0]!, (await read('heat', { minutes: 2000 }))[0]!]
    const reset = counter.values.indexOf(699)
    expect(reset).toBeGreaterThan(0)
    expect(counter.values[reset + 1]! < 10).toBe(true)
    expect([counter.values.at(-1), gauge.values.at(-1)]).toEqual([499, 499])
    expect(gauge.times.length).toBeLessThan(210)
    while (await thinOutOnce(database, 1, nowMs, { bucketMs: 3600_000, keepMs: day }));
    expect((await read('heat', { minutes: 2000 }))[0]!.times.length).toBeLessThan(8)
    expect((await read('heat', { minutes: 2000 }))[0]!.values.at(-1)).toBe(499)
  })

  test('that cannot be stored reject whoever sent them, and whoever sends next is stored', async () => {
    const { database, ingest, read, nowMs } = await testMetrics()
    await database.query('alter table metric_batches add constraint full_disk check (points < 0)')
    await expect(ingest.take(shop, [seriesOf('jobs', [[nowMs, 1]])])).rejects.toThrow('full_disk')
    await database.query('alter table metric_batches drop constraint full_disk')
    await ingest.take(shop, [seriesOf('jobs', [[nowMs, 2]])])
    expect((await read('jobs'))[0]!.values).toEqual(Float64Array.of(2))
  })
})

describe('differences', () => {
  const delta = (nowMs: number, ago: number, value: number) => ({ ...seriesOf('hits_total', [[nowMs - ago, value]]), deltaFromMs: nowMs - ago - 1000 })

  test('become totals over two servers, once each, however often they come', async () => {
    const { ingest, read, nowMs, another } = await testMetrics()
    const other = another()
    for (let ago = 20_000; ago >= 0; ago -= 2000) await (ago % 4000 === 0 ? ingest : other.ingest).take(shop, [delta(nowMs, ago, 1)])
    expect((await ingest.take(shop, [delta(nowMs, 4000, 100)])).dropped).toEqual(new Map([['late_delta', 1]]))
    expect(pointsIn((await read('hits_total'))[0]!, nowMs)).toEqual([[-21_000, 0], ...Array.from({ length: 11 }, (_, index) => [-20_000 + index * 2000, index + 1])])
  })

  test('of many at once add up exactly', async () => {
    const { ingest, read, nowMs, another } = await testMetrics()
    const servers = [ingest, another().ingest]
    await Promise.all(Array.from({ length: 30 }, (_, index) => servers[index % 2]!.take(shop, [{ ...seriesOf('hits_total', [[nowMs - index, 1]], { by: String(index % 3) }), deltaFromMs: nowMs - index - 1 }])))
    const found = await read('hits_total')
    const taken = found.reduce((sum, { values }) => sum + values.at(-1)!, 0)
    // Those that came after a later one are refused, never counted wrongly.
    expect(found).toHaveLength(3)
    for (const { values } of found) expect([...values].every((value, index) => index === 0 || value - values[index - 1]! >= 0)).toBe(true)
    expect(taken).toBeGreaterThanOrEqual(3)
  })
})
