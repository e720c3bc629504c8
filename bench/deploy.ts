/**
 * From Enter to the first 200, readiness, memory, and switches under load.
 *
 *   node bench/run.mjs deploy [deploys under load=20]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpGet } from '../packages/server/test/whole/http-get.ts'
import { constantLoad } from '../packages/server/test/whole/load.ts'
import { percentile, root, show, startPlatform, type BenchPlatform } from './platform.ts'

const deploysUnderLoad = Number(process.argv[2] ?? 20)

interface Deployed {
  wallMs: number
  durations: { upload: number; build: number; rollout: number; total: number }
}

async function deploy(platform: BenchPlatform, directory: string, ...flags: string[]): Promise<Deployed> {
  const began = performance.now()
  const { code, stdout, stderr } = await platform.cli(['deploy', '--json', ...flags], directory)
  if (code !== 0) throw new Error(stderr)
  const { app, durations } = JSON.parse(stdout) as { app: string; durations: Deployed['durations'] }
  const { status } = await httpGet(platform.routerPort, `${app}.localhost`)
  if (status !== 200) throw new Error(`answered ${status}`)
  return { wallMs: performance.now() - began, durations }
}

const directory = mkdtempSync(join(tmpdir(), 'express-app-'))
const write = (text: string): void =>
  writeFileSync(join(directory, 'app.js'), `const express = require('express')\nconst app = express()\napp.get('/', (q, r) => r.send('${text}'))\nconst server = app.listen(process.env.PORT)\nprocess.on('SIGTERM', () => server.close(() => process.exit(0)))\n`)
writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'express-app', private: true, scripts: { start: 'node app.js' }, dependencies: { express: '4.19.2' } }))
writeFileSync(join(directory, 'pavior.yaml'), 'name: express-app\nprocesses:\n  web:\n    replicas: 2\n')
// With a lock file, as every real app has.
spawnSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: directory })
write('0')

const platform = await startPlatform()
try {
  show('ready after npm start on an installed clone', `${(platform.readyMs / 1000).toFixed(2)} s`, '<= 3 s', platform.readyMs <= 3000)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const { processes } = JSON.parse((await platform.cli(['status', '--json'])).stdout) as { processes: { role: string; memoryBytes: number }[] }
  const mib = (...roles: string[]): number => processes.filter(({ role }) => roles.includes(role)).reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) / 1024 / 1024
  show('idle memory (PSS): server', `${mib('server').toFixed(0)} MiB`, '<= 180 MB', mib('server') <= 180)
  show('idle memory (PSS): agent and routers', `${mib('agent', 'router').toFixed(0)} MiB`, '<= 90 MB', mib('agent', 'router') <= 90)
  show('idle memory (PSS): PostgreSQL', `${mib('postgresql').toFixed(0)} MiB`, '<= 120 MB', mib('postgresql') <= 120)

  const first = await deploy(platform, directory)
  show('first deploy of a small Express app, Enter to first 200', `${(first.wallMs / 1000).toFixed(2)} s`, '<= 15 s', first.wallMs <= 15_000)
  const again: Deployed[] = []
  for (let round = 1; round <= 5; round++) {
    write(String(round))
    again.push(await deploy(platform, directory))
  }
  const wall = percentile(again.map(({ wallMs }) => wallMs), 0.5)
  show('deploy with unchanged dependencies (median of 5)', `${(wall / 1000).toFixed(2)} s`, '<= 3 s', wall <= 3000)
  // The app's own boot: plain node until its port answers.
  const boot = await bootTime(platform)
  show("of which the platform's own share (all but the app's boot)", `${((wall - boot) / 1000).toFixed(2)} s, boot ${(boot / 1000).toFixed(2)} s`, '<= 1 s', wall - boot <= 1000)

  const load = constantLoad(platform.routerPort, 'express-app.localhost')
  const rollouts: number[] = []
  for (let round = 0; round < deploysUnderLoad; round++) {
    write(`load ${round}`)
    // Under load the default of production would be a canary, which takes its minutes on purpose.
    rollouts.push((await deploy(platform, directory, '--strategy', 'rolling')).durations.rollout)
  }
  const { total, failures } = await load.stop()
  show(`failed requests in ${deploysUnderLoad} deploys under load`, `${failures.length} of ${total} ${failures.slice(0, 3).join(' ')}`, '0', failures.length === 0)
  const rollout = percentile(rollouts, 0.5)
  const pm2 = await pm2Reload(platform)
  if (pm2 === undefined) console.log('pm2 is not installed: left out')
  else console.log(`${'pm2 reload of the same 2 instances, in the same run'.padEnd(58)} ${pm2.toFixed(0)} ms: the rollout takes ${(rollout / pm2).toFixed(2)} x of it`)
  show('rolling switch of 2 instances beyond the boot, under load', `${(rollout - boot).toFixed(0)} ms (rollout ${rollout} ms)`, '<= 500 ms', rollout - boot <= 500)
} finally {
  await platform.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function bootTime({ home }: BenchPlatform): Promise<number> {
  const { execFileSync, spawn } = await import('node:child_process')
  const { readdirSync } = await import('node:fs')
  const artifacts = join(home, 'artifacts', 'sha256')
  const [built] = readdirSync(artifacts)
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const port = Number(execFileSync(process.execPath, ['-e', "const s=require('net').createServer().listen(0,()=>{console.log(s.address().port);s.close()})"]).toString())
    const began = performance.now()
    const child = spawn(process.execPath, ['app.js'], { cwd: join(artifacts, built!), env: { ...process.env, PORT: String(port), NODE_ENV: 'production' }, stdio: 'ignore' })
    while (!(await httpGet(port, 'x').then(({ status }) => status === 200, () => false))) await new Promise((resolve) => setTimeout(resolve, 2))
    times.push(performance.now() - began)
    child.kill('SIGKILL')
  }
  return percentile(times, 0.5)
}

/** What the usual process manager of Node.js needs for the same switch; undefined when it is not there. */
async function pm2Reload({ home }: BenchPlatform): Promise<number | undefined> {
  const { execFile } = await import('node:child_process')
  const { existsSync, readdirSync } = await import('node:fs')
  const { promisify } = await import('node:util')
  const binary = join(root, 'bench/node_modules/pm2/bin/pm2')
  if (!existsSync(binary)) return undefined
  const artifacts = join(home, 'artifacts', 'sha256')
  const pm2 = (...args: string[]): Promise<unknown> => promisify(execFile)(process.execPath, [binary, ...args], { cwd: join(artifacts, readdirSync(artifacts)[0]!), env: { ...process.env, PM2_HOME: join(home, 'pm2'), PORT: '0' } })
  try {
    await pm2('start', 'app.js', '-i', '2', '--name', 'peer')
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const began = performance.now()
      await pm2('reload', 'peer')
      times.push(performance.now() - began)
    }
    return percentile(times, 0.5)
  } finally {
    await pm2('kill').catch(() => {})
  }
}
