import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Revision } from '@pavior/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sourceChanges } from './changes.ts'

const root = mkdtempSync(join(tmpdir(), 'pavior-changes-'))
const digests = { one: `sha256:${'1'.repeat(64)}`, other: `sha256:${'2'.repeat(64)}`, gone: `sha256:${'3'.repeat(64)}` }
const directoryOf = (digest: string): string => join(root, digest.slice('sha256:'.length))
const sources = { has: async (digest: string) => digest !== digests.gone, directoryOf }
const revision = (source: string): Revision => ({ type: 'upload', source })

beforeAll(async () => {
  const write = async (digest: string, files: Record<string, string | Buffer>): Promise<void> => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(directoryOf(digest), path, '..'), { recursive: true })
      await writeFile(join(directoryOf(digest), path), text)
    }
  }
  await write(digests.one, { 'server.js': 'one\ntwo\n', 'src/with space.js': 'same\n', 'gone.txt': 'x\n', 'picture.png': Buffer.from([0, 1, 2]) })
  await write(digests.other, { 'server.js': 'one\nzwei\n', 'src/with space.js': 'same\n', 'new.txt': `--- ${'1'.repeat(64)}/not a header\n`, 'picture.png': Buffer.from([0, 1, 3]) })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const changes = (from: string, to: string) => sourceChanges({ sources, gitRoot: join(root, 'git') }, 'team', 'app', revision(from), revision(to))

test('files that differ are named by their own paths, with their lines', async () => {
  const { files, patch, commits } = await changes(digests.one, digests.other)
  expect(files).toEqual([{ path: 'gone.txt', added: 0, removed: 1 }, { path: 'new.txt', added: 1, removed: 0 }, { path: 'picture.png' }, { path: 'server.js', added: 1, removed: 1 }])
  expect(patch).toContain('diff --git server.js server.js')
  expect(patch).toContain('-two\n+zwei')
  expect(patch).not.toContain(root)
  expect(commits).toBeUndefined()
})

test('what is in a file stays as it is, even when it looks like a place of ours', async () => {
  const { patch } = await changes(digests.one, digests.other)
  expect(patch).toContain(`+--- ${'1'.repeat(64)}/not a header`)
})

test('the same source has no differences, and one that is gone cannot be compared', async () => {
  expect(await changes(digests.one, digests.one)).toEqual({ files: [], patch: '' })
  expect(await changes(digests.one, digests.gone)).toEqual({})
})
