import * as http from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Router } from '../../src/router/index.ts'
import { call, cleanUp, setOf, signal, tableOf, testApp, testRouter, type TestApp } from './harness.ts'

afterEach(cleanUp)

/** Requests without pause on several connections, some kept and some new, until told to stop. */
function constantLoad(router: Router, kinds: ('kept' | 'new')[]): { stop(): Promise<{ requests: number; failures: string[] }> } {
  let stopped = false
  let requests = 0
  const failures: string[] = []
  const loops = kinds.map(async (kind) => {
    const agent = kind === 'kept' ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (!stopped) {
      try {
        const answer = await call(router, '/', { agent: agent ?? false })
        if (answer.status !== 200) failures.push(`${answer.status} ${answer.body}`)
      } catch (error) {
        failures.push(String(error))
      }
      requests++
    }
    agent?.destroy()
  })
  return {
    stop: async () => {
      stopped = true
      await Promise.all(loops)
      return { requests, failures }
    },
  }
}

/** Ends an instance as the supervisor does: no new connections, then the end. */
async function stopApp(app: TestApp): Promise<void> {
  app.server.closeAllConnections()
  await new Promise((resolve) => app.server.close(resolve))
}

describe('switching', () => {
  test('20 switches under constant load, none of the requests fails', async () => {
    const router = await testRouter({ workers: 2 })
    const slowly: http.RequestListener = (_, response) => void setTimeout(() => response.end('ok'), 3)
    let apps = [await testApp(slowly), await testApp(slowly)]
    let set = setOf('v0', apps.map(({ port }) => port))
    await router.update(tableOf([set]))
    const load = constantLoad(router, ['kept', 'kept', 'kept', 'kept', 'new', 'new', 'new', 'new'])
    for (let release = 1; release <= 20; release++) {
      const next = [await testApp(slowly), await testApp(slowly)]
      const nextSet = setOf(`v${release}`, next.map(({ port }) => port), { release })
      await router.update(tableOf([nextSet]))
      for (const { instance } of set.endpoints) expect(await router.drain(instance, 5_000)).toEqual({ inFlight: 0 })
      await Promise.all(apps.map(stopApp))
      const before = next[0]!.requests.length + next[1]!.requests.length
      await call(router)
      expect(next[0]!.requests.length + next[1]!.requests.length).toBeGreaterThan(before)
      apps = next
      set = nextSet
    }
    const { requests, failures } = await load.stop()
    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(100)
  })

  test('drain waits for a slow request and then closes the idle connections', async () => {
    const [arrived, release] = [signal(), signal()]
    const app = await testApp(async (request, response) => {
      if (request.url === '/slow') {
        arrived.resolve()
        await release.promise
      }
      response.end('done')
    })
    const closed: Promise<unknown>[] = []
    app.server.on('connection', (socket: Socket) => closed.push(new Promise((resolve) => socket.on('close', resolve))))
    const router = await testRouter()
    const set = setOf('v1', [app.port])
    await router.update(tableOf([set]))
    await Promise.all([call(router), call(router)])
    const slow = call(router, '/slow')
    await arrived.promise
    await router.update(tableOf([], []))
    const instance = set.endpoints[0]!.instance
    expect(await router.drain(instance, 200)).toEqual({ inFlight: 1 })
    const drained = router.drain(instance, 10_000)
    release.resolve()
    expect((await slow).body).toBe('done')
    expect(await drained).toEqual({ inFlight: 0 })
    await Promise.all(closed)
    expect(closed.length).toBeGreaterThan(1)
  })

  test('an instance that comes back into the table is used again', async () => {
    const app = await testApp()
    const router = await testRouter()
    const set = setOf('v1', [app.port])
    await router.update(tableOf([set]))
    await call(router)
    await router.update(tableOf([], []))
    expect((await call(router)).status).toBe(404)
    await router.update(tableOf([set]))
    expect((await call(router)).status).toBe(200)
  })
})
