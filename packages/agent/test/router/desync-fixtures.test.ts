import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Router } from '../../src/router/index.ts'
import { parse } from 'yaml'
import { cleanUp, rawClient, setOf, tableOf, testApp, testRouter } from './harness.ts'

/** Published request heads with their class, of aws/http-desync-guardian, where the folder lies beside the project. */
const folder = new URL('../../../../../shared/fixtures/http-desync/', import.meta.url)

interface Fixture {
  name: string
  uri: string
  method: string
  version: string
  headers: { name: string; value: string | number }[] | null
  expected: { tier: string }
}

afterAll(cleanUp)

const bytes = (text: string): Buffer => Buffer.from(text, /[^\0-\xff]/.test(text) ? 'utf8' : 'latin1')

function headOf({ method, uri, version, headers }: Fixture): Buffer {
  const lines = [bytes(`${method} ${uri} ${version}`), Buffer.from('Host: app.test')]
  for (const { name, value } of headers ?? []) lines.push(bytes(`${name}: ${value}`))
  return Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\r\n')]).concat(Buffer.from('\r\n')))
}

function bodyOf({ headers }: Fixture): Buffer {
  const valueOf = (wanted: string): string => String(headers?.find(({ name }) => name.toLowerCase() === wanted)?.value ?? '')
  if (valueOf('transfer-encoding') !== '') return Buffer.from('0\r\n\r\n')
  return Buffer.alloc(Number(valueOf('content-length')), 'x')
}

if (!existsSync(folder)) {
  console.log('skipped: the fixtures of http-desync-guardian are not there (../shared/fixtures/http-desync)')
  test.skip('published request heads', () => {})
} else {
  let router: Router
  beforeAll(async () => {
    const app = await testApp((request, response) => request.resume().on('end', () => response.end('served')))
    router = await testRouter()
    await router.update(tableOf([setOf('v1', [app.port])]))
  })
  for (const file of ['rfc-compliant.yaml', 'acceptable.yaml']) {
    for (const fixture of parse(readFileSync(new URL(file, folder), 'utf8')) as Fixture[]) {
      test(`${file}: ${fixture.name} (${fixture.method} ${fixture.version}) passes`, async () => {
        const client = rawClient(router).send(Buffer.concat([headOf(fixture), bodyOf(fixture)]))
        const head = await client.until(/\r\n\r\n/)
        expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      })
    }
  }
}
