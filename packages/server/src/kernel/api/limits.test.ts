import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../test/api.ts'

describe('limits', () => {
  test('bodies that are too large, too deep or not what they say', async () => {
    const { send } = await testApi({ limits: { bodyBytes: 20_000, yamlBytes: 10_000 } })
    const refused = async (body: string, type = 'application/json'): Promise<unknown[]> => {
      const { status, body: answer } = await send('POST', appsPath, body, { type })
      return [status, answer.reason]
    }
    expect(await refused(JSON.stringify(appBody('x', { description: 'x'.repeat(30_000) })))).toEqual([413, 'RequestEntityTooLarge'])
    expect(await refused(`description: ${'x'.repeat(15_000)}`, 'application/yaml')).toEqual([413, 'RequestEntityTooLarge'])
    expect(await refused('{"a":'.repeat(200) + '1' + '}'.repeat(200))).toEqual([400, 'BadRequest'])
    expect(await refused('['.repeat(5000), 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused(Array.from({ length: 90 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'application/yaml')).toEqual([
      400,
      'BadRequest',
    ])
    expect(
      await refused(
        'a: &a [x,x,x,x]\n' +
          Array.from(
            { length: 12 },
            (_, index) =>
              `b${index}: &b${index} [${Array(9)
                .fill(index === 0 ? '*a' : `*b${index - 1}`)
                .join(',')}]`,
          ).join('\n'),
        'application/yaml',
      ),
    ).toEqual([400, 'BadRequest'])
    expect(await refused('a: 1\na: 2', 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused('{"metadata":')).toEqual([400, 'BadRequest'])
    expect(await refused('{"metadata":{"name":"x"},"spec":{"env":{"__proto__":"x"}}}')).toEqual([400, 'BadRequest'])
    expect(await refused('spec:\n  env:\n    __proto__: {a: b}\n', 'application/yaml')).toEqual([400, 'BadRequest'])
    expect(await refused('x', 'application/octet-stream')).toEqual([415, 'UnsupportedMediaType'])
  })

  test('requests over time, with the wait told', async () => {
    const { send } = await testApi({ limits: { requestsPerSecond: 1, requestBurst: 3 } })
    const answers = []
    for (let index = 0; index < 5; index++) answers.push(await send('GET', appsPath))
    const refused = answers.at(-1)!
    expect([refused.status, refused.body.reason, refused.headers.get('retry-after'), refused.body.details.retryAfterSeconds]).toEqual([
      429,
      'TooManyRequests',
      '1',
      1,
    ])
    expect((await send('GET', appsPath, undefined, { token: 'dev' })).status).toBe(200)
    expect((await send('GET', '/healthz', undefined, { token: null })).status).toBe(200)
  })

  test('guessed tokens', async () => {
    const { send } = await testApi({ limits: { failedSignInBurst: 2, failedSignInsPerSecond: 0.001 } })
    const guess = async (token: string | null): Promise<number> => (await send('GET', appsPath, undefined, { token })).status
    expect([await guess('a'), await guess('b'), await guess('c'), await guess(null), await guess('root')]).toEqual([
      401, 401, 429, 401, 200,
    ])
  })

  test('watches at the same time', async () => {
    const { send, url, seen } = await testApi({ limits: { concurrentWatches: 1 } })
    const controller = new AbortController()
    onTestFinished(() => controller.abort())
    const begun = seen(/watch/)
    const open = await fetch(`${url}${appsPath}?watch=1`, { headers: { authorization: 'Bearer root' }, signal: controller.signal })
    await begun
    expect(open.status).toBe(200)
    expect((await send('GET', `${appsPath}?watch=1`)).status).toBe(429)
    expect((await send('GET', appsPath)).status).toBe(200)
  })

  test('slow headers are cut off', async () => {
    const { app } = await testApi({ limits: { headersTimeoutMs: 200 } })
    const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost')
    socket.resume()
    await once(socket, 'close')
  }, 60_000)
})

describe('closing', () => {
  test('a request in flight is answered, and what takes too long is cut off', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const { app, send, url, seen } = await testApi({
      limits: { drainTimeoutMs: 300 },
      routes: [
        (scope) => void scope.get('/v1/slow', async () => held.then(() => ({ done: true }))),
        (scope) => void scope.get('/v1/endless', () => new Promise(() => {})),
      ],
    })
    const begun = seen(/slow/)
    const slow = send('GET', '/v1/slow')
    await begun
    const stuck = seen(/endless/)
    const endless = fetch(`${url}/v1/endless`, { headers: { authorization: 'Bearer root' } }).then(
      () => 'answered',
      () => 'cut off',
    )
    await stuck
    const closed = app.close()
    release()
    expect((await slow).body).toEqual({ done: true })
    expect(await endless).toBe('cut off')
    await closed
  })
})
