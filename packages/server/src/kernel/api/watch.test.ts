import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemActor } from '../actor.ts'
import { appBody, appsPath, testApi, type TestApi } from '../../../test/api.ts'

interface WatchEvent {
  type: string
  object: any
}

interface Stream {
  response: IncomingMessage
  /** The next event. */
  next(): Promise<WatchEvent>
  /** Everything until the server ends the stream. */
  rest(): Promise<WatchEvent[]>
}

async function watch({ url }: TestApi, search: string, headers: Record<string, string> = {}): Promise<Stream> {
  const outgoing = httpRequest(`${url}${appsPath}?watch=true&${search}`, {
    headers: { authorization: 'Bearer root', ...headers },
    agent: false,
  })
  outgoing.on('error', () => {})
  outgoing.end()
  onTestFinished(() => void outgoing.destroy())
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const lines = readLines(response)
  const next = async (): Promise<WatchEvent> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the watch ended')
    return value
  }
  return {
    response,
    next,
    rest: async () => {
      const all: WatchEvent[] = []
      for await (const event of lines) all.push(event)
      return all
    },
  }
}

async function* readLines(response: IncomingMessage): AsyncGenerator<WatchEvent> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const parts = (rest + (chunk as string)).split('\n')
    rest = parts.pop()!
    for (const part of parts) yield JSON.parse(part) as WatchEvent
  }
}

const root = systemActor('test')
const brief = ({ type, object }: WatchEvent): string => `${type} ${object.metadata.name ?? ''}`.trim()

describe('a watch', () => {
  test('gives what is there and what happens, and resumes without a gap', async () => {
    const api = await testApi()
    await api.send('POST', appsPath, appBody('shop'))
    const first = await watch(api, '')
    expect(first.response.headers).toMatchObject({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
    expect(brief(await first.next())).toBe('ADDED shop')
    const changed = await api.send('PATCH', `${appsPath}/shop`, { spec: { description: 'a' } }, { type: 'application/merge-patch+json' })
    const event = await first.next()
    expect(event).toEqual({ type: 'MODIFIED', object: changed.body })

    await api.send('POST', appsPath, appBody('wiki'))
    await api.send('DELETE', `${appsPath}/shop`)
    const resumed = await watch(api, `resourceVersion=${event.object.metadata.resourceVersion}`)
    expect([brief(await resumed.next()), brief(await resumed.next())]).toEqual(['ADDED wiki', 'DELETED shop'])
  })

  test('sees what enters and leaves its selection', async () => {
    const api = await testApi()
    const stream = await watch(api, 'labelSelector=tier%3Dweb&allowWatchBookmarks=true')
    expect((await stream.next()).type).toBe('BOOKMARK')
    const patch = (labels: object) =>
      api.send('PATCH', `${appsPath}/shop`, { metadata: { labels } }, { type: 'application/merge-patch+json' })
    await api.send('POST', appsPath, appBody('shop'))
    await patch({ tier: 'web' })
    await patch({ more: 'x' })
    await patch({ tier: null })
    expect([brief(await stream.next()), brief(await stream.next()), brief(await stream.next())]).toEqual([
      'ADDED shop',
      'MODIFIED shop',
      'DELETED shop',
    ])
  })

  test('marks the end of the initial events, or leaves them out', async () => {
    const api = await testApi()
    await api.send('POST', appsPath, appBody('shop'))
    const full = await watch(api, 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
    expect(brief(await full.next())).toBe('ADDED shop')
    expect(await full.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'App', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
    const later = await watch(api, 'sendInitialEvents=false&resourceVersionMatch=NotOlderThan')
    await api.send('POST', appsPath, appBody('wiki'))
    expect(brief(await later.next())).toBe('ADDED wiki')
    expect((await api.send('GET', `${appsPath}?watch=true&sendInitialEvents=true`)).status).toBe(422)
  })

  test('ends after timeoutSeconds', async () => {
    const api = await testApi()
    await api.send('POST', appsPath, appBody('shop'))
    const stream = await watch(api, 'timeoutSeconds=1')
    expect((await stream.rest()).map(brief)).toEqual(['ADDED shop'])
  })

  test('from a version that is no longer kept gives an ERROR with status 410', async () => {
    const api = await testApi()
    await api.send('POST', appsPath, appBody('shop'))
    await api.database.query('update resource_version set compacted = value')
    const stream = await watch(api, 'resourceVersion=1')
    expect(await stream.rest()).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }])
  })

  test('gives tables with one head, and metadata alone', async () => {
    const api = await testApi()
    await api.send('POST', appsPath, appBody('shop', { declaredBy: 'Procfile' }))
    const table = await watch(api, '', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' })
    const first = await table.next()
    expect(first.object).toMatchObject({
      kind: 'Table',
      rows: [
        { cells: ['shop', 'Procfile', 0, null, expect.any(String)].map((cell) => cell ?? ''), object: { kind: 'PartialObjectMetadata' } },
      ],
    })
    expect(first.object.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      'Name',
      'Declared',
      'Processes',
      'Description',
      'Age',
    ])
    await api.send('POST', appsPath, appBody('wiki'))
    expect((await table.next()).object).toMatchObject({ columnDefinitions: null, rows: [{ object: { metadata: { name: 'wiki' } } }] })
    const metadata = await watch(api, '', { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' })
    expect((await metadata.next()).object).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: expect.objectContaining({ name: 'shop' }),
    })
  })

  test('is refused before it begins when the actor may not', async () => {
    const api = await testApi()
    const refused = await api.send('GET', `${appsPath}?watch=true`, undefined, { token: 'other' })
    expect([refused.status, refused.body.reason]).toEqual([403, 'Forbidden'])
    const everywhere = await watch(api, '', {})
    everywhere.response.destroy()
  })

  test('over all teams gives only those that the actor may read', async () => {
    const api = await testApi()
    for (const team of ['blue', 'green']) await api.resources.create(root, 'App', team, { metadata: { name: `${team}-app` }, spec: {} })
    const listed = await api.send('GET', '/apis/pavior.dev/v1/apps', undefined, { token: 'view' })
    expect(listed.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['blue-app'])
  })

  test('ends when the server stops, at once', async () => {
    const api = await testApi()
    const stream = await watch(api, 'allowWatchBookmarks=true')
    await stream.next()
    const ended = stream.rest()
    await api.app.close()
    expect(await ended).toEqual([])
  })

  test('of teams as namespaces', async () => {
    const api = await testApi()
    const outgoing = httpRequest(`${api.url}/api/v1/namespaces?watch=1`, { headers: { authorization: 'Bearer view' }, agent: false })
    outgoing.on('error', () => {})
    outgoing.end()
    onTestFinished(() => void outgoing.destroy())
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    const { value } = await readLines(response).next()
    expect(value).toMatchObject({
      type: 'ADDED',
      object: { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'blue' }, status: { phase: 'Active' } },
    })
  })
})
