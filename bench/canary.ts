/**
 * What a bad release costs: every fifth of its requests fails, under constant load, with the defaults of production.
 *
 *   node bench/run.mjs canary [rounds=5]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constantLoad } from '../packages/server/test/whole/load.ts'
import { percentile, show, startPlatform } from './platform.ts'

const rounds = Number(process.argv[2] ?? 5)
const directory = mkdtempSync(join(tmpdir(), 'canary-app-'))
const write = (failing: number): void =>
  writeFileSync(join(directory, 'server.js'), `require('http').createServer((q, r) => r.writeHead(q.url === '/' && Math.random() < ${failing} ? 500 : 200).end('ok')).listen(process.env.PORT)\nprocess.on('SIGTERM', () => process.exit(0))\n`)
writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'app', private: true, scripts: { start: 'node server.js' } }))
writeFileSync(join(directory, 'pavior.yaml'), 'processes:\n  web:\n    replicas: 2\n    health:\n      path: /healthz\n')

interface Deployment {
  metadata: { creationTimestamp: string }
  spec: { release: number }
  status: { phase: string; finishedAt: string; trial?: { since?: string } }
}

const platform = await startPlatform()
try {
  write(0)
  const first = await platform.cli(['deploy', directory, '--app', 'app'])
  if (first.code !== 0) throw new Error(first.stderr)
  const load = constantLoad(platform.routerPort, 'app.localhost')
  const took: number[] = []
  for (let round = 0; round < rounds; round++) {
    // The rate of the app is known from what it had before.
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    write(0.2 + round / 1000)
    const { code, stderr } = await platform.cli(['deploy', directory, '--app', 'app'])
    if (code === 0 || !stderr.includes('CANARY_FAILED')) throw new Error(`it was not taken back: ${stderr}`)
    const response = await fetch(`${platform.url}/apis/pavior.dev/v1/namespaces/default/deployments`, { headers: { authorization: `Bearer ${platform.token}` } })
    const { items } = (await response.json()) as { items: Deployment[] }
    const { status } = items.toSorted((one, other) => other.spec.release - one.spec.release)[0]!
    took.push(Date.parse(status.finishedAt) - Date.parse(status.trial!.since!))
  }
  const { total, failures } = await load.stop()
  const share = failures.length / total
  const slowest = percentile(took, 1)
  show(`requests hurt by ${rounds} releases that fail 20 %`, `${failures.length} of ${total} (${(share * 100).toFixed(2)} %)`, '< 2 %', share < 0.02)
  show('from its first request until it was taken back, median · slowest', `${(percentile(took, 0.5) / 1000).toFixed(1)} · ${(slowest / 1000).toFixed(1)} s`, '<= 10 s', slowest <= 10_000)
} finally {
  await platform.stop()
  rmSync(directory, { recursive: true, force: true })
}
