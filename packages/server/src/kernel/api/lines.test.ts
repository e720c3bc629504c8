import { request, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { testApi } from '../../../test/api.ts'
import { sendLines, type WriteLine } from './lines.ts'

const total = 20_000
const text = 'x'.repeat(200)

/** An answer of 4 MB by twelve writers at once; `told` is called with how many lines were written so far. */
async function served(told: (written: number) => void, ended: () => void): Promise<string> {
  const { url } = await testApi({
    routes: [
      (app) => {
        app.get('/v1/lines', (_request, reply) => {
          let written = 0
          const one = async (write: WriteLine, signal: AbortSignal): Promise<void> => {
            while (written < total && !signal.aborted) {
              written++
              told(written)
              await write({ number: written, text })
            }
          }
          return sendLines(reply, async (write, signal) => {
            await Promise.all(Array.from({ length: 12 }, () => one(write, signal)))
            ended()
          })
        })
        app.get('/v1/broken', (_request, reply) =>
          sendLines(
            reply,
            async (write) => {
              await write({ number: 1 })
              throw new Error('broken')
            },
            { lastLine: (error) => ({ last: (error as Error).message }) },
          ),
        )
      },
    ],
  })
  return url
}

const headers = { authorization: 'Bearer root' }

function get(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request(url, { headers, agent: false }, resolve).on('error', reject).end())
}

test('a reader that stops holds the writers up, gets every line when it goes on, and no listener is left over', async () => {
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', note)
  let written = 0
  const url = await served((count) => (written = count), () => {})
  const response = await get(`${url}/v1/lines`)
  // What sockets and streams hold by themselves is far less than the whole.
  await expect.poll(() => written).toBeGreaterThan(100)
  let before = -1
  await expect.poll(() => before === (before = written), { interval: 200 }).toBe(true)
  expect(written).toBeLessThan(total)
  let body = ''
  for await (const chunk of response) body += String(chunk)
  const numbers = body.trimEnd().split('\n').map((line) => (JSON.parse(line) as { number: number }).number)
  expect(numbers).toEqual(Array.from({ length: total }, (_, index) => index + 1))
  process.off('warning', note)
  expect(warnings).toEqual([])
})

test('a reader that goes away ends the writing', async () => {
  let ended = (): void => {}
  const over = new Promise<void>((resolve) => (ended = resolve))
  const url = await served(() => {}, () => ended())
  const response = await get(`${url}/v1/lines`)
  expect(response.headers['content-type']).toBe('application/x-ndjson')
  response.destroy()
  await over
})

test('a failure after the beginning is the last line', async () => {
  const url = await served(() => {}, () => {})
  const lines = (await (await fetch(`${url}/v1/broken`, { headers })).text()).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ number: 1 }, { last: 'broken' }])
})
