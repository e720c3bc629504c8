import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RecordStore, type TaskRecord } from './records.ts'
import { fingerprint, openKey, readSealed, writeSealed } from './sealed.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'pavior state '))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('sealed', () => {
  test('can be read with its key only, shows nothing, and is private', () => {
    const file = join(directory, 'state')
    const key = openKey(join(directory, 'keys', 'agent.key'))
    expect(openKey(join(directory, 'keys', 'agent.key'))).toEqual(key)
    expect(statSync(join(directory, 'keys', 'agent.key')).mode & 0o777).toBe(0o600)
    expect(readSealed(file, key)).toBeUndefined()
    writeSealed(file, key, { password: 'open sesame' })
    expect(readSealed(file, key)).toEqual({ password: 'open sesame' })
    expect(readFileSync(file).includes('sesame')).toBe(false)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(() => readSealed(file, openKey(join(directory, 'other.key')))).toThrow(/cannot be read/)
  })

  test('is refused when a byte was changed, and so is a broken key', () => {
    const file = join(directory, 'state')
    const key = openKey(join(directory, 'agent.key'))
    writeSealed(file, key, { a: 1 })
    const bytes = readFileSync(file)
    for (const at of [0, 20, 40, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      writeFileSync(file, changed)
      expect(() => readSealed(file, key)).toThrow(/cannot be read/)
    }
    writeFileSync(join(directory, 'agent.key'), 'short')
    expect(() => openKey(join(directory, 'agent.key'))).toThrow(/does not hold a key/)
  })

  test('fingerprints are equal for equal values only', () => {
    const key = openKey(join(directory, 'agent.key'))
    expect(fingerprint(key, { a: 1 })).toBe(fingerprint(key, { a: 1 }))
    expect(fingerprint(key, { a: 1 })).not.toBe(fingerprint(key, { a: 2 }))
  })
})

test('records come back, broken ones are cleared away', () => {
  const store = new RecordStore(directory, { retryMs: 10, onError: () => {} })
  const record: TaskRecord = {
    kind: 'task',
    id: 'one',
    startedAt: 'now',
    timeoutMs: 1,
    limits: { memoryBytes: 1, cpu: 1, pids: 1 },
    directory: '/x',
  }
  store.save(record)
  store.prepare('empty')
  store.prepare('broken')
  writeFileSync(join(store.path('broken'), 'record.json'), '{"kind":')
  expect(store.load()).toEqual([record])
  store.remove('one')
  expect(store.load()).toEqual([])
})
