/** Addresses that are asked as users ask, against servers that answer well, wrongly, late or not at all. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ProbeAnswer, ProbeTarget } from '../../rooms/reliability/alerts/ports.ts'
import { createAddressProbe } from './synthetic.ts'

const never = new AbortController().signal
const noRouter = (): number => {
  throw new Error('the router is asked for apps only')
}

async function serving(answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function ask(url: string, more: Partial<ProbeTarget> = {}, signal = never): Promise<ProbeAnswer> {
  return createAddressProbe(noRouter)({ url, throughRouter: false, timeoutMs: 10_000, status: undefined, ...more }, signal)
}

test('what answers with 2xx, or as it was asked to, is fine', async () => {
  const port = await serving((request, response) => void response.writeHead(Number(request.url!.slice(1))).end())
  expect(await ask(`http://127.0.0.1:${port}/204`)).toEqual({ ok: true, text: undefined, tookMs: expect.any(Number) })
  expect(await ask(`http://127.0.0.1:${port}/401`, { status: 401 })).toMatchObject({ ok: true })
  expect(await ask(`http://127.0.0.1:${port}/503`)).toMatchObject({ ok: false, text: 'answered 503' })
  expect(await ask(`http://127.0.0.1:${port}/200`, { status: 401 })).toMatchObject({ ok: false, text: 'answered 200' })
})

test('what does not answer in time, or not at all, says so', async () => {
  const port = await serving(() => undefined)
  expect(await ask(`http://127.0.0.1:${port}/`, { timeoutMs: 50 })).toMatchObject({ ok: false, text: 'did not answer within 0.05 s' })
  const gone = createServer()
  await new Promise<void>((resolve) => void gone.listen(0, '127.0.0.1', resolve))
  const free = (gone.address() as AddressInfo).port
  await new Promise<void>((resolve) => void gone.close(() => resolve()))
  expect(await ask(`http://127.0.0.1:${free}/`)).toMatchObject({ ok: false, text: 'cannot be reached: ECONNREFUSED' })
})

test('a redirection is an answer and is not followed', async () => {
  const paths: string[] = []
  const port = await serving((request, response) => {
    paths.push(request.url!)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  expect(await ask(`http://127.0.0.1:${port}/`)).toMatchObject({ ok: false, text: 'answered 302' })
  expect(await ask(`http://127.0.0.1:${port}/`, { status: 302 })).toMatchObject({ ok: true })
  expect(paths).toEqual(['/', '/'])
})

test('link-local addresses are not asked', async () => {
  expect(await ask('http://169.254.169.254/latest')).toMatchObject({ ok: false, text: expect.stringContaining('is link-local') })
})

test('an app is asked through the router by its name, whatever that resolves to', async () => {
  const asked: (string | undefined)[] = []
  const port = await serving((request, response) => {
    asked.push(request.headers.host, request.url)
    response.end()
  })
  const target = { url: 'https://shop.example:8443/health?deep=1', throughRouter: true, timeoutMs: 10_000, status: undefined }
  expect(await createAddressProbe(() => port)(target, never)).toMatchObject({ ok: true })
  expect(asked).toEqual(['shop.example:8443', '/health?deep=1'])
})
