/** What ours answers, and what a real Prometheus answers to the same question about the same data. */
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Actor } from '../../../kernel/actor.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { Gate } from '../query/gate.ts'
import { queryRoutes } from '../query/routes.ts'
import { firstMs, fixedSeries, lastMs } from '../testing/fixed-series.ts'
import { memorySource } from '../testing/memory-source.ts'
import { hasPrometheus, startPrometheus, type RunningPrometheus } from '../testing/prometheus.ts'
import { expressions } from '../testing/expressions.ts'

const skipped = !(await hasPrometheus())
if (skipped) console.warn('The comparison with Prometheus is skipped: there is no prometheus 2 on this machine. Install it with: apt-get install prometheus')

const anyone: Actor = { name: 'user:test', kind: 'user', admin: true, roles: new Map() }
const tolerance = 1e-9

let prometheus: RunningPrometheus
let ours: FastifyInstance

interface Reply {
  status: string
  errorType?: string
  error?: string
  data?: { resultType: string; result: unknown }
}

type Pair = [number, string]

describe.skipIf(skipped)('compared with Prometheus', () => {
  beforeAll(async () => {
    prometheus = await startPrometheus()
    await prometheus.write(fixedSeries())
    ours = Fastify()
    ours.decorateRequest('actor')
    ours.addHook('onRequest', async (request) => void (request.actor = anyone))
    ours.register(async (scope) => queryRoutes({ source: memorySource(fixedSeries()), gate: new Gate(), clock: systemClock, version: '0' })(scope))
    await ours.ready()
  })
  afterAll(async () => {
    await ours?.close()
    await prometheus?.stop()
  })

  async function both(path: string, parameters: Record<string, string>): Promise<[Reply, Reply]> {
    const payload = new URLSearchParams(parameters).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const [theirs, own] = await Promise.all([
      fetch(`${prometheus.url}/api/v1/${path}`, { method: 'POST', headers, body: payload }).then((response) => response.json() as Promise<Reply>),
      ours.inject({ method: 'POST', url: `/prometheus/api/v1/${path}`, headers, payload }),
    ])
    return [own.json<Reply>(), theirs]
  }

  const middle = (firstMs + lastMs) / 2000 + 7.3
  const moments = [middle, firstMs / 1000 + 2710, lastMs / 1000 + 200]

  test(`${expressions.length} expressions at ${moments.length} moments`, async () => {
    const wrong: string[] = []
    const answered = new Set<string>()
    for (const query of expressions) {
      for (const time of moments) {
        const [own, theirs] = await both('query', { query, time: String(time) })
        if (theirs.status === 'success' && JSON.stringify(theirs.data!.result) !== '[]') answered.add(query)
        const difference = compare(own, theirs)
        if (difference) wrong.push(`${query} at ${time}: ${difference}`)
      }
    }
    expect(wrong).toEqual([])
    // Two that say nothing agree easily.
    expect(answered.size).toBeGreaterThan(260)
  })

  const ranges = [
    { start: firstMs / 1000 + 600, end: lastMs / 1000 + 400, step: '47' },
    { start: middle - 900, end: middle + 900, step: '15' },
  ]

  test(`${expressions.length} expressions over ${ranges.length} ranges`, async () => {
    const wrong: string[] = []
    for (const query of expressions) {
      for (const { start, end, step } of ranges) {
        const difference = compare(...(await both('query_range', { query, start: String(start), end: String(end), step })))
        if (difference) wrong.push(`${query} by ${step}: ${difference}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('series, labels and their values', async () => {
    for (const [path, match] of [['series', 'memory_bytes'], ['series', '{instance=~"a|b",code!~"4.."}'], ['labels', 'http_requests_total'], ['label/instance/values', '{job="shop"}'], ['label/__name__/values', '{__name__=~".+_bytes|.*_total"}'], ['labels', 'nothing_like_it']] as const) {
      const times = `start=${firstMs / 1000}&end=${lastMs / 1000}`
      const theirs = (await (await fetch(`${prometheus.url}/api/v1/${path}?${times}&match[]=${encodeURIComponent(match)}`)).json()) as { data: unknown[] }
      const own = (await ours.inject({ url: `/prometheus/api/v1/${path}?${times}&match[]=${encodeURIComponent(match)}` })).json<{ data: unknown[] }>()
      expect(sorted(own.data), `${path} ${match}`).toEqual(sorted(theirs.data))
    }
  })
})

function sorted(rows: unknown[]): string[] {
  return rows.map((row) => (typeof row === 'string' ? row : keyOf(row as Record<string, string>))).sort()
}

function keyOf(metric: Record<string, string>): string {
  return JSON.stringify(Object.entries(metric).sort())
}

/** What is different, as a sentence. */
function compare(own: Reply, theirs: Reply): string | undefined {
  if (own.status !== theirs.status) return `ours says ${own.status} ${own.error ?? ''}, Prometheus ${theirs.status} ${theirs.error ?? ''}`
  if (own.status === 'error') return own.errorType === theirs.errorType ? undefined : `ours fails with ${own.errorType} (${own.error}), Prometheus with ${theirs.errorType} (${theirs.error})`
  if (own.data!.resultType !== theirs.data!.resultType) return `ours is a ${own.data!.resultType}, theirs a ${theirs.data!.resultType}`
  if (own.data!.resultType === 'scalar' || own.data!.resultType === 'string') return comparePairs([own.data!.result as Pair], [theirs.data!.result as Pair])
  const rows = (reply: Reply): Map<string, Pair[]> => new Map((reply.data!.result as { metric: Record<string, string>; value?: Pair; values?: Pair[] }[]).map(({ metric, value, values }) => [keyOf(metric), values ?? [value!]]))
  const [mine, others] = [rows(own), rows(theirs)]
  for (const key of mine.keys()) if (!others.has(key)) return `ours has ${key}`
  for (const [key, pairs] of others) {
    const found = mine.get(key)
    if (!found) return `Prometheus has ${key}`
    const difference = comparePairs(found, pairs)
    if (difference) return `${key}: ${difference}`
  }
  return undefined
}

function comparePairs(own: Pair[], theirs: Pair[]): string | undefined {
  if (own.length !== theirs.length) return `${own.length} points, and ${theirs.length} of Prometheus`
  for (const [index, [time, text]] of theirs.entries()) {
    const [ownTime, ownText] = own[index]!
    if (ownTime !== time) return `a point at ${ownTime}, and at ${time} of Prometheus`
    if (ownText === text) continue
    const [a, b] = [Number(ownText), Number(text)]
    if (!(Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b)))) return `${ownText} at ${time}, and ${text} of Prometheus`
  }
  return undefined
}
