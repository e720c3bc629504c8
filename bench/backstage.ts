/** A Backstage backend with its catalogue, from npm: installed on demand, beside the benchmarks' own dependencies. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { stringify } from 'yaml'
import { freePort } from './platform.ts'

const packages = { '@backstage/backend-defaults': '0.18.0', '@backstage/plugin-catalog-backend': '4.0.0', pg: '8.16.0' }
const program = `const backend = require('@backstage/backend-defaults').createBackend()
backend.add(require('@backstage/plugin-catalog-backend'))
backend.start()
`
const longestIngestMs = 20 * 60_000

export interface Backstage {
  url: string
  /** From the moment when it listens until the last entity of the file can be asked for. */
  ingestSeconds: number
  stop(): Promise<void>
}

export async function startBackstage(directory: string, connection: object, catalogue: string, count: number): Promise<Backstage> {
  const home = install()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [file, config, log] = ['catalog-info.yaml', 'app-config.yaml', 'backstage.log'].map((name) => join(directory, name)) as [string, string, string]
  writeFileSync(file, catalogue)
  writeFileSync(config, stringify({
    app: { baseUrl: url },
    organization: { name: 'Bench' },
    backend: {
      baseUrl: url,
      listen: { host: '127.0.0.1', port },
      auth: { dangerouslyDisableDefaultAuthPolicy: true, keys: [{ secret: randomBytes(24).toString('base64') }] },
      database: { client: 'pg', connection },
    },
    catalog: { locations: [{ type: 'file', target: file, rules: [{ allow: ['Component'] }] }] },
  }))
  const child = spawn(process.execPath, ['index.js', '--config', config], { cwd: home, stdio: ['ignore', openSync(log, 'w'), 'inherit'] })
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return
    child.kill()
    await once(child, 'exit')
  }
  try {
    const total = async (): Promise<number> => {
      if (child.exitCode !== null) throw new Error(`Backstage ended with ${child.exitCode}:\n${readFileSync(log, 'utf8').slice(-3000)}`)
      const response = await fetch(`${url}/api/catalog/entities/by-query?limit=0&filter=kind=component`).catch(() => undefined)
      return response?.ok ? ((await response.json()) as { totalItems: number }).totalItems : -1
    }
    while ((await total()) < 0) await after(100)
    const began = performance.now()
    while ((await total()) < count) {
      if (performance.now() - began > longestIngestMs) throw new Error('Backstage did not take the file in.')
      await after(1000)
    }
    return { url, ingestSeconds: (performance.now() - began) / 1000, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function install(): string {
  const home = join(tmpdir(), 'pavior-bench-backstage')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'bench-backstage', private: true, dependencies: packages }))
  writeFileSync(join(home, 'index.js'), program)
  if (existsSync(join(home, 'node_modules', '.package-lock.json'))) return home
  const { status } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: home, stdio: 'inherit' })
  if (status !== 0) throw new Error('Backstage could not be installed from npm.')
  return home
}
