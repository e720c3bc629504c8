/** Deploys that are overtaken, cancelled or lose their app on the way: each ends with a clear word and leaves nothing behind. */
import { beforeAll, describe, expect, test } from 'vitest'
import { names, observed, ofApp } from './faults.ts'
import { gatedApp, newGate, type Gate } from './gate.ts'
import { constantLoad } from './load.ts'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
let gate: Gate

beforeAll(async () => {
  gate = await newGate()
  platform = await newPlatform()
})

const errorOf = async (result: Promise<{ stdout: string }>): Promise<{ code: string; message: string }> => JSON.parse((await result).stdout).error

async function runningTasks(): Promise<string[]> {
  return (await observed(platform)).tasks.filter(({ state }) => state === 'running').map(({ id }) => id)
}

async function nothingLeft(app: string): Promise<void> {
  await until('the tasks to end', async () => (await runningTasks()).length === 0)
  await until('the workspaces to be gone', async () => names(platform, 'builds', 'work').length === 0)
  await until('its instances to be gone', async () => !(await observed(platform)).instances.some(({ id }) => id.startsWith(`${app}-`)))
}

describe('two deploys of one app at once', () => {
  test.each(['build', 'release', 'start'])('the earlier is in its phase "%s": the later wins, the earlier is told', async (phase) => {
    const app = `twice-${phase}`
    gate.close(`${app}-${phase}`)
    const earlier = platform.cli(['deploy', '--json'], { directory: await appDirectory(app, gatedApp(gate, app, 'earlier')) })
    await gate.arrived(`${app}-${phase}`)
    const later = platform.json(['deploy'], { directory: await appDirectory(app, gatedApp(gate, `${app}-later`, 'later')) })
    if (phase === 'release') {
      // A release process may be migrating a database, so it is let finish.
      await until('the later build', async () => (await ofApp(platform, 'deployments', app)).length === 2)
      expect((await ofApp(platform, 'deployments', app)).map(({ status }) => status?.phase ?? 'Pending').toSorted()).toEqual(['Pending', 'Releasing'])
      gate.open(`${app}-${phase}`)
    }
    const error = await errorOf(earlier)
    expect(error.code).toBe('SUPERSEDED')
    expect(error.message).toMatch(new RegExp(phase === 'build' ? `${app}-build-2` : `${app}-production-2`))
    await later
    expect((await platform.get(`${app}.localhost`)).body).toBe('later')
    gate.open(`${app}-${phase}`)
    expect((await ofApp(platform, 'instancesets', app)).filter(({ metadata }) => !metadata.deletionTimestamp)).toHaveLength(1)
    await until('the earlier instances to be gone', async () => (await observed(platform)).instances.filter(({ id }) => id.startsWith(`${app}-`)).length === 1)
    await until('the workspaces to be gone', async () => names(platform, 'builds', 'work').length === 0)
  })

  test('many at once: one serves, and it is the last', async () => {
    const directories = await Promise.all([1, 2, 3, 4].map((number) => appDirectory('crowd', webApp(`crowd ${number}`))))
    const results = await Promise.all(directories.map((directory) => platform.cli(['deploy', '--json'], { directory })))
    const codes = results.map(({ stdout }) => JSON.parse(stdout)).map(({ error }) => error?.code ?? 'served')
    expect(codes.filter((code) => !['served', 'SUPERSEDED'].includes(code))).toEqual([])
    const builds = await ofApp(platform, 'builds', 'crowd')
    const last = builds.find(({ metadata }) => metadata.labels['pavior.dev/number'] === '4')
    expect(last.status.phase).toBe('Succeeded')
    // An earlier one may still be draining.
    const serving = (await ofApp(platform, 'instancesets', 'crowd')).filter(({ metadata }) => !metadata.deletionTimestamp)
    expect(serving.map(({ spec }) => spec.artifact)).toEqual([last.status.artifact])
  })
})

describe('an app that is deleted during its deploy', () => {
  test.each(['build', 'release', 'start'])('in its phase "%s": the deploy is told, nothing is left', async (phase) => {
    const app = `doomed-${phase}`
    gate.close(`${app}-${phase}`)
    const deploying = platform.cli(['deploy', '--json'], { directory: await appDirectory(app, gatedApp(gate, app)) })
    await gate.arrived(`${app}-${phase}`)
    await platform.json(['destroy', app, '--confirm', app])
    expect((await errorOf(deploying)).code).toBe('APP_DELETED')
    await nothingLeft(app)
    gate.open(`${app}-${phase}`)
    const left = await Promise.all(['builds', 'releases', 'deployments', 'instancesets', 'routes'].map((kind) => ofApp(platform, kind, app)))
    expect(left.flat()).toEqual([])
    expect((await platform.get(`${app}.localhost`)).status).toBe(404)
  })
})

describe('cancelling', () => {
  const cancel = (plural: string, name: string) => platform.api('PATCH', `/apis/pavior.dev/v1/namespaces/default/${plural}/${name}`, { spec: { canceled: true } }, { 'content-type': 'application/merge-patch+json' })

  test('a build ends its step, and what served goes on serving', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('stopped', webApp('before')) })
    const load = constantLoad(platform.routerPort, 'stopped.localhost')
    gate.close('stopped-build')
    const deploying = platform.cli(['deploy', '--json', '--strategy', 'rolling'], { directory: await appDirectory('stopped', gatedApp(gate, 'stopped', 'after')) })
    await gate.arrived('stopped-build')
    expect((await cancel('builds', 'stopped-build-2')).status).toBe(200)
    expect((await errorOf(deploying)).code).toBe('BUILD_CANCELED')
    expect(await runningTasks()).toEqual([])
    await until('the workspaces to be gone', async () => names(platform, 'builds', 'work').length === 0)
    expect((await load.stop()).failures).toEqual([])
    expect((await platform.get('stopped.localhost')).body).toBe('before')
  })

  test.each(['release', 'start'])('a deployment in its phase "%s" takes back what it made', async (phase) => {
    const app = `halted-${phase}`
    await platform.json(['deploy'], { directory: await appDirectory(app, webApp('before')) })
    const load = constantLoad(platform.routerPort, `${app}.localhost`)
    gate.close(`${app}-${phase}`)
    const deploying = platform.cli(['deploy', '--json', '--strategy', 'rolling'], { directory: await appDirectory(app, gatedApp(gate, app, 'after')) })
    await gate.arrived(`${app}-${phase}`)
    const running = (await ofApp(platform, 'deployments', app)).find(({ spec }) => spec.release === 2)
    expect((await cancel('deployments', running.metadata.name)).status).toBe(200)
    expect((await errorOf(deploying)).code).toBe('CANCELED')
    await until('the tasks to end', async () => (await runningTasks()).length === 0)
    await until('the new instances to be gone', async () => (await observed(platform)).instances.filter(({ id }) => id.startsWith(`${app}-`)).length === 1)
    expect((await load.stop()).failures).toEqual([])
    expect((await platform.get(`${app}.localhost`)).body).toBe('before')
  })
})
