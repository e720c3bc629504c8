/** A real Prometheus sends here by remote write. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { metricsApi } from './testing-api.ts'

const missing = spawnSync('prometheus', ['--version']).error !== undefined
if (missing) console.log('skipped: `prometheus` is not installed (apt-get install prometheus)')

test.skipIf(missing)('Prometheus writes what it scrapes', async () => {
  const { api, read } = await metricsApi()
  const app = createServer((_request, response) => response.end('# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{queue="a"} 42\n')).listen(0, '127.0.0.1')
  await once(app, 'listening')
  const directory = mkdtempSync(join(tmpdir(), 'pavior-prometheus-'))
  const target = `127.0.0.1:${(app.address() as { port: number }).port}`
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify({
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [target] }] }],
    remote_write: [{ url: `${api.url}/v1/prom/write`, authorization: { credentials: 'of-shop' }, queue_config: { batch_send_deadline: '1s' }, metadata_config: { send_interval: '1s' } }],
  }))
  const prometheus = spawn('prometheus', [`--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`, '--web.listen-address=127.0.0.1:0'], { stdio: 'ignore' })
  const gone = once(prometheus, 'exit')
  onTestFinished(async () => {
    prometheus.kill('SIGKILL')
    await gone
    app.close()
    rmSync(directory, { recursive: true, force: true })
  })
  for (let writes = 0; writes < 4; writes++) await api.seen(/^POST \/v1\/prom\/write/)
  const points = async (): Promise<number> => (await read('jobs_total')).reduce((sum, { times }) => sum + times.length, 0)
  // The answer to a write that was seen comes a moment later.
  while ((await points()) < 2) await api.seen(/^POST \/v1\/prom\/write/)
  const [series] = await read('jobs_total')
  expect(series!.labels).toEqual({ __name__: 'jobs_total', queue: 'a', job: 'shop', exported_instance: target, team: 'blue', app: 'shop', environment: 'production' })
  // Where a scrape was late on a busy machine the series ended, and began again.
  expect(new Set([...series!.values].filter((value) => !Number.isNaN(value)))).toEqual(new Set([42]))
  expect((await read('up'))[0]!.values).toContain(1)
}, 60_000)
