import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from './config.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pavior-config-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const load = (flags: Record<string, string> = {}, environment: NodeJS.ProcessEnv = {}) => loadConfig({ home, ...flags }, environment, '/nowhere')
const write = (text: string): void => writeFileSync(join(home, 'pavior.config.yaml'), text)
const origin = (loaded: ReturnType<typeof load>, name: string): string => loaded.effective.find((setting) => setting.name === name)!.origin

test('a flag wins over the environment, that over the file, that over the default', () => {
  const seen = (loaded: ReturnType<typeof load>): [number, string] => [loaded.config.port, origin(loaded, 'port')]
  expect(seen(load())).toEqual([7070, 'default'])
  write('port: 1\n')
  expect(seen(load())).toEqual([1, 'file'])
  expect(seen(load({}, { PAVIOR_PORT: '2' }))).toEqual([2, 'environment'])
  expect(seen(load({ port: '3' }, { PAVIOR_PORT: '2' }))).toEqual([3, 'flag'])
})

test('units are in the names', () => {
  const { config } = load({}, { PAVIOR_BUILD_TIMEOUT_SECONDS: '5', PAVIOR_BUILD_MEMORY_MIB: '2' })
  expect([config.buildTimeoutMs, config.buildMemoryBytes]).toEqual([5000, 2 * 1024 * 1024])
})

test.each([
  ['PAVIOR_PORT', '70000', /port \(PAVIOR_PORT\).*"70000"/],
  ['PAVIOR_PORT', 'http', /must be a port/],
  ['PAVIOR_BUILD_CPU', '-1', /above 0/],
  ['PAVIOR_SOURCE_FILES', '1.5', /whole number/],
  ['PAVIOR_ROUTER_TRUSTED_PROXIES', '10.0.0.0/8, proxy.test', /"proxy.test" is no network/],
  ['PAVIOR_ROUTER_TRUSTED_PROXIES', '10.0.0.0/33', /is no network/],
  ['PAVIOR_ROUTER_BODY_MIN_BYTES_PER_SECOND', '-1', /above 0/],
])('%s=%s is refused and says where it comes from', (variable, value, message) => {
  expect(() => load({}, { [variable]: value })).toThrow(message)
  try {
    load({}, { [variable]: value })
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { why: 'It comes from: environment.' } })
  }
})

test('proxies and the slowest body are taken as they are given', () => {
  const { config } = load({}, { PAVIOR_ROUTER_TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8,192.0.2.7', PAVIOR_ROUTER_BODY_MIN_BYTES_PER_SECOND: '0' })
  expect([config.routerTrustedProxies, config.routerBodyMinBytesPerSecond]).toEqual(['10.0.0.0/8, fd00::/8,192.0.2.7', 0])
})

test('a file with an unknown setting, broken YAML or a bomb is refused', () => {
  write('prot: 1\n')
  expect(() => load()).toThrow(/unknown setting "prot"/)
  write('port: [\n')
  expect(() => load()).toThrow(/not valid YAML/)
  write(`a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nport: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`)
  expect(() => load()).toThrow(/not valid YAML/)
})

test('secrets are never shown', () => {
  const { effective, config } = load({}, { PAVIOR_DATABASE_URL: 'postgres://u:hunter2@db/x' })
  expect(config.databaseUrl).toContain('hunter2')
  expect(JSON.stringify(effective)).not.toContain('hunter2')
})

test('sockets lie in a short directory that is ours alone, the same for the same home', () => {
  const long = join(home, 'x'.repeat(150))
  const first = loadConfig({ home: long }, {}, '/nowhere').config.socketDirectory
  expect(first.length).toBeLessThan(60)
  expect(loadConfig({ home: long }, {}, '/nowhere').config.socketDirectory).toBe(first)
  rmSync(first, { recursive: true })
})
