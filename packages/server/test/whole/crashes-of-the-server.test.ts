/** The server is killed in the midst of its work: apps serve on, and what was under way comes to its end once. */
import { beforeAll, describe, expect, test } from 'vitest'
import { deployedApp, halfUpload, killServer, names, observed, ofApp } from './faults.ts'
import { gatedApp, newGate, type Gate } from './gate.ts'
import { constantLoad } from './load.ts'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
let gate: Gate

beforeAll(async () => {
  gate = await newGate()
  platform = await newPlatform()
  await deployedApp(platform, 'steady', webApp('steady'))
})

describe('kill -9 of the server', () => {
  test('during an upload keeps nothing of it, and the next one works', async () => {
    const load = constantLoad(platform.routerPort, 'steady.localhost')
    const { broken } = await halfUpload(platform, 'halved')
    await until('the upload to arrive', async () => names(platform, 'sources', 'incoming').length === 1)
    await killServer(platform)
    await broken
    expect(names(platform, 'sources', 'incoming')).toEqual([])
    expect(await ofApp(platform, 'builds', 'halved')).toEqual([])
    await platform.json(['deploy'], { directory: await appDirectory('halved', webApp('whole')) })
    expect((await platform.get('halved.localhost')).body).toBe('whole')
    const { total, failures } = await load.stop()
    expect([total > 0, failures]).toEqual([true, []])
  })

  test.each(['build', 'release', 'start'])('during the phase "%s" of a deploy: it goes on and ends, nothing is done twice', async (phase) => {
    const app = `killed-in-${phase}`
    const load = constantLoad(platform.routerPort, 'steady.localhost')
    gate.close(`${app}-${phase}`)
    const directory = await appDirectory(app, gatedApp(gate, app))
    const deploying = platform.json(['deploy'], { directory })
    await gate.arrived(`${app}-${phase}`)
    await killServer(platform)
    gate.open(`${app}-${phase}`)
    // The command waits for the server to be back and tells the rest.
    expect(await deploying).toMatchObject({ app, release: 'v1' })
    expect((await platform.get(`${app}.localhost`)).body).toBe(app)
    expect(['build', 'release', 'start'].map((name) => gate.count(`${app}-${name}`))).toEqual([1, 1, 1])
    const counts = await Promise.all(['builds', 'releases', 'deployments', 'instancesets', 'routes'].map(async (kind) => (await ofApp(platform, kind, app)).length))
    expect(counts).toEqual([1, 1, 1, 1, 1])
    const [set] = await ofApp(platform, 'instancesets', app)
    expect((await observed(platform)).instances.filter((instance) => instance.set === set.metadata.uid)).toHaveLength(1)
    await until('the workspaces to be gone', async () => names(platform, 'builds', 'work').length === 0)
    const { total, failures } = await load.stop()
    expect([total > 0, failures]).toEqual([true, []])
  })
})
