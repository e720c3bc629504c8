/**
 * A watch on a whole platform while 32 writers change apps and the reconcilers write their statuses.
 *
 *   node bench/run.mjs watch [apps=2000] [seconds=60]
 */
import { Pool } from 'undici'
import { percentile, show, startPlatform, type BenchPlatform } from './platform.ts'

const resources = Number(process.argv[2] ?? 2000)
const watchSeconds = Number(process.argv[3] ?? 60)
const connections = 32

function app(name: string, version: number): object {
  return { apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name, labels: { tier: String(version % 7) } }, spec: { description: `version ${version}`, env: { LOG_LEVEL: 'info', REGION: 'here' } } }
}

const base = '/apis/pavior.dev/v1/namespaces/default/apps'

async function seed(pool: Pool, headers: Record<string, string>): Promise<void> {
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < resources) {
        const index = next++
        const { statusCode, body } = await pool.request({ method: 'POST', path: base, body: JSON.stringify(app(`app-${index}`, 0)), headers })
        await body.dump()
        if (statusCode !== 201) throw new Error(`create: ${statusCode}`)
      }
    }),
  )
  console.log(`created ${resources} apps at ${Math.round(resources / ((performance.now() - began) / 1000))} a second`)
}

async function measureWatch(platform: BenchPlatform, pool: Pool, headers: Record<string, string>): Promise<void> {
  const { resourceVersion } = ((await (await pool.request({ method: 'GET', path: `${base}?limit=1`, headers })).body.json()) as { metadata: { resourceVersion: string } }).metadata
  const sentAt = new Map<string, number>()
  const told = new Set<string>()
  const delays: number[] = []
  const seen: bigint[] = []
  const abort = new AbortController()
  const response = await fetch(`${platform.url}${base}?watch=true&resourceVersion=${resourceVersion}`, { headers, signal: abort.signal })
  let received = 0
  const reading = (async () => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        if (!line) continue
        const { type, object } = JSON.parse(line)
        if (type === 'BOOKMARK') continue
        const at = sentAt.get(object.spec.description)
        // The status that a reconciler writes afterwards shows the same spec once more.
        if (at === undefined || told.has(object.spec.description)) continue
        told.add(object.spec.description)
        received++
        delays.push(performance.now() - at)
        seen.push(BigInt(object.metadata.resourceVersion))
      }
    }
  })().catch(() => {})
  const end = performance.now() + watchSeconds * 1000
  let written = 0
  await Promise.all(
    Array.from({ length: connections }, async (_, writer) => {
      for (let round = 0; performance.now() < end; round++) {
        const name = `app-${(writer * 1009 + round) % resources}`
        const description = `${writer}/${round}`
        sentAt.set(description, performance.now())
        const { statusCode, body } = await pool.request({ method: 'PUT', path: `${base}/${name}`, headers, body: JSON.stringify({ ...app(name, round), spec: { description } }) })
        await body.dump()
        if (statusCode < 300) written++
        else sentAt.delete(description)
      }
    }),
  )
  const deadline = performance.now() + 10_000
  while (received < written && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  abort.abort()
  await reading
  const reordered = seen.filter((version, index) => index > 0 && version <= seen[index - 1]!).length
  const p99 = percentile(delays, 0.99)
  show(`watch: 32 writers for ${watchSeconds} s, events lost or reordered`, `${written - received} lost, ${reordered} reordered of ${written}`, '0', written === received && reordered === 0)
  show('watch: delivery from request sent to event read, p99', `${p99.toFixed(0)} ms`, '<= 150 ms', p99 <= 150)
}

const platform = await startPlatform({ PAVIOR_REQUESTS_PER_SECOND: '1000000', PAVIOR_LOG_LEVEL: 'warn' })
const pool = new Pool(platform.url, { connections })
const headers = { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json' }
try {
  await seed(pool, headers)
  await measureWatch(platform, pool, headers)
} finally {
  await pool.close()
  await platform.stop()
}
