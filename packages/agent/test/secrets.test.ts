/** Secrets of instances and tasks: they arrive, are seen nowhere else, and outlive a server that cannot open them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretValues } from '@pavior/contract'
import { desiredSet, isRoot, startTestAgent, task, workload, writeApp, type TestAgent } from './harness.ts'

const planted = 'planted-value-of-agent-test-5b21'
const plantedFile = 'planted-file-of-agent-test-77c0'
const values: SecretValues = { env: { DATABASE_PASSWORD: `${planted} 'quoted" $x` }, files: { TLS_KEY: Buffer.from(plantedFile).toString('base64') } }
const show = `
const { statSync, readFileSync } = require('fs')
const path = process.env.TLS_KEY_FILE
const answer = () => JSON.stringify({ password: process.env.DATABASE_PASSWORD, path, file: path && readFileSync(path, 'utf8'), mode: path && (statSync(path).mode & 0o777).toString(8), own: path && statSync(path).uid === process.getuid() })
require('http').createServer((request, response) => response.end(answer())).listen(process.env.PORT)
`

let it: TestAgent
let app: string
let generation = 1
beforeAll(async () => {
  it = await startTestAgent()
  app = writeApp(join(it.directory, 'app'), { 'server.cjs': show })
})
afterAll(() => it.close())

const load = (secrets: SecretValues | 'kept') => workload(app, ['node', 'server.cjs'], { secrets })
const desire = (secrets: SecretValues | 'kept') => it.client.desire(generation++, [desiredSet(load(secrets))])
const ask = async (): Promise<Record<string, unknown>> => (await fetch(`http://127.0.0.1:${it.client.instances[0]!.port}/`)).json() as Promise<Record<string, unknown>>

function foundBelow(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    return entry.isFile() && readFileSync(path).includes(text) ? [path] : []
  })
}

const secretDirectories = (): string[] => (existsSync('/dev/shm') ? readdirSync('/dev/shm').filter((name) => name.startsWith('pavior-secrets-')).flatMap((name) => readdirSync(join('/dev/shm', name))) : [])

describe('secrets', () => {
  test('reach the process, as variable and as a file of its own, and nobody else', async () => {
    await desire(values)
    const [instance] = await it.client.healthy(1)
    expect(await ask()).toEqual({ password: values.env.DATABASE_PASSWORD, path: expect.stringMatching(/\/TLS_KEY$/), file: plantedFile, mode: '400', own: true })
    const everywhere = execFileSync('ps', ['-eww', '-o', 'args'], { encoding: 'utf8' })
    expect(everywhere).not.toContain(planted)
    expect([...foundBelow(it.home, planted), ...foundBelow(it.home, plantedFile)]).toEqual([])
    expect(JSON.stringify(it.client.state)).not.toContain(planted)
    expect(readFileSync(`/proc/${instance!.pid}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/)
  })

  test('stay as they are when the server cannot open them: nothing is started again, and a crash is mended', async () => {
    const [before] = await it.client.healthy(1)
    await desire('kept')
    process.kill(before!.pid!, 'SIGKILL')
    await it.client.until(() => it.client.instances[0]?.state === 'healthy' && it.client.instances[0].restarts === 1)
    expect(it.client.instances.map(({ id }) => id)).toEqual([before!.id])
    expect(await ask()).toMatchObject({ password: values.env.DATABASE_PASSWORD, file: plantedFile })
  })

  test('are a reason for a new instance when they change, and their files go with it', async () => {
    const [before] = await it.client.healthy(1)
    await desire({ env: { DATABASE_PASSWORD: 'second' }, files: {} })
    await it.client.until(() => it.client.instances.length === 1 && it.client.instances[0]!.id !== before!.id && it.client.instances[0]!.state === 'healthy')
    expect(await ask()).toEqual({ password: 'second', own: undefined })
    expect(secretDirectories()).not.toContain(before!.id)
  })

  test('that neither side has keep an instance from starting, with a reason', async () => {
    await it.client.desire(generation++, [desiredSet(load('kept'), { id: 'set-2' })])
    await it.client.until(() => it.client.instances.some(({ problem }) => problem?.code === 'SECRETS_SEALED'))
    await it.client.desire(generation++, [desiredSet(load(values), { id: 'set-2' })])
    await it.client.healthy(1)
  })

  test.runIf(isRoot)('of an app are closed to another app', async () => {
    const other = writeApp(join(it.directory, 'other'), { 'look.sh': 'cat /dev/shm/pavior-secrets-*/*/* /run/secrets/* 2>&1; true' })
    await it.client.call('PUT', '/tasks/look', task(workload(other, ['sh', 'look.sh'], { app: 'other', team: 'other' })))
    await it.client.taskEnd('look')
    expect((await it.client.lines('look')).map(({ line }) => line).join('\n')).not.toContain(plantedFile)
  })
})
