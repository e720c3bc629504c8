/** Hostile and broken uploads against the store of sources: each is refused by a code that says what it was, and nothing is kept. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createGzip, gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rawHead } from '../../../test/tar-head.ts'
import { createSourceStore } from './index.ts'

const mib = 1024 * 1024
const limits = { uploadBytes: 64 * mib, sourceBytes: 32 * mib, sourceFiles: 1000 }

let root: string
let store: ReturnType<typeof createSourceStore>

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'pavior-sources-'))
  store = createSourceStore(root, limits)
  await store.start(new AbortController().signal)
})
afterEach(() => {
  const left = readdirSync(join(root, 'incoming'))
  rmSync(root, { recursive: true, force: true })
  expect(left, 'left in incoming/').toEqual([])
})

type Entry = Partial<Header> & { name: string; content?: string | Buffer }

async function tar(...entries: Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const { content, ...header } of entries) {
    if (content === undefined) archive.entry(header as Header)
    else archive.entry(header as Header, content)
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const end = Buffer.alloc(1024)
const padded = (content: Buffer): Buffer => Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)])
const send = (...chunks: Buffer[]): Promise<unknown> => store.accept(Readable.from(chunks))
const good: Entry = { name: 'index.html', content: 'hello' }

describe('an archive that ends too early or is damaged', () => {
  test.each([0.1, 0.5, 0.9, 0.999])('gzip cut at %f', async (part) => {
    const whole = gzipSync(await tar({ name: 'big', content: randomBytes(100_000) }))
    await expect(send(whole.subarray(0, Math.floor(whole.length * part)))).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' })
  })

  test.each([10, 512, 600, 50_000, 100_000])('plain tar cut after %i bytes', async (bytes) => {
    const whole = await tar({ name: 'big', content: randomBytes(100_000) })
    await expect(send(whole.subarray(0, bytes))).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' })
  })

  test('bytes that are no archive', async () => {
    await expect(send(randomBytes(5000))).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' })
    await expect(send(Buffer.concat([Buffer.from([0x1f, 0x8b]), randomBytes(5000)]))).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' })
  })

  test('a sender that breaks off', async () => {
    const stream = new PassThrough()
    const accepted = store.accept(stream)
    stream.write((await tar({ name: 'big', content: randomBytes(100_000) })).subarray(0, 20_000))
    stream.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    await expect(accepted).rejects.toMatchObject({ code: 'UPLOAD_TRUNCATED' })
  })

  test('nothing in it', async () => {
    await expect(send()).rejects.toMatchObject({ code: 'UPLOAD_EMPTY' })
    await expect(send(end)).rejects.toMatchObject({ code: 'UPLOAD_EMPTY' })
    await expect(send(await tar({ name: './', type: 'directory' }))).rejects.toMatchObject({ code: 'UPLOAD_EMPTY' })
    await expect(send(gzipSync(end))).rejects.toMatchObject({ code: 'UPLOAD_EMPTY' })
  })
})

describe('a path that leads outside', () => {
  test.each(['../evil', 'a/../../evil', 'a/../b', '/etc/evil', '//evil', '..', 'a/..', 'back\\slash', '..\\evil'])('%s', async (name) => {
    const error: any = await send(rawHead(name, { size: 4 }), padded(Buffer.from('evil')), end).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
    expect(error.message).toContain(JSON.stringify(name))
    expect(existsSync(join(root, 'evil'))).toBe(false)
  })

  test('in a pax header', async () => {
    await expect(send(await tar({ name: 'ok', pax: { path: '../evil' }, content: 'evil' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
    await expect(send(await tar({ name: 'ok', type: 'symlink', linkname: 'ok', pax: { linkpath: '/etc/passwd' } }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
    await expect(send(await tar({ name: 'ok', pax: { path: 'nul\0byte' }, content: 'x' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
  })

  test.each(['/etc/passwd', '../outside', '../../../../etc/passwd', 'a/../../outside', ''])('a symbolic link to "%s"', async (linkname) => {
    await expect(send(rawHead('link', { type: '2', link: linkname }), end)).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
  })

  test.each(['/etc/passwd', '../outside'])('a hard link to %s', async (linkname) => {
    await expect(send(rawHead('link', { type: '1', link: linkname }), end)).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
  })

  test('a file written through a link to a directory', async () => {
    await expect(send(await tar({ name: 'real/x', content: 'x' }, { name: 'dir', type: 'symlink', linkname: 'real' }, { name: 'dir/file', content: 'through' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
  })

  test('a link that leads outside by way of another link', async () => {
    // a/b → . makes a/b/../.. look harmless by its text and lead further up in truth.
    const archive = await tar({ name: 'd/e/file', content: 'x' }, { name: 'here', type: 'symlink', linkname: 'd/e' }, { name: 'out', type: 'symlink', linkname: 'here/../../../../../../../etc/passwd' })
    await expect(send(archive)).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
    const sly = await tar({ name: 'x/file', content: 'x' }, { name: 'x/up', type: 'symlink', linkname: '.' }, { name: 'deep/1/2/3/f', content: 'x' }, { name: 'deep/1/2/3/top', type: 'symlink', linkname: '../../../../x' }, { name: 'deep/1/2/3/out', type: 'symlink', linkname: 'top/../../x' })
    await expect(send(sly)).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
  })

  test('links that stay inside are kept, hard ones as links', async () => {
    const { digest } = await store.accept(Readable.from([await tar({ name: 'lib/a.txt', content: 'a' }, { name: 'b', type: 'symlink', linkname: 'lib/a.txt' }, { name: 'lib/c', type: 'symlink', linkname: '../b' }, { name: 'bin/d', type: 'link', linkname: 'lib/a.txt' })]))
    const directory = store.directoryOf(digest)
    expect(['b', 'lib/c', 'bin/d'].map((path) => readFileSync(join(directory, path), 'utf8'))).toEqual(['a', 'a', 'a'])
    expect(readlinkSync(join(directory, 'bin/d'))).toBe('../lib/a.txt')
  })
})

describe('an entry that is no file', () => {
  test.each([['3', 'character device'], ['4', 'block device'], ['6', 'fifo']])('type %s, a %s', async (type) => {
    const error: any = await send(rawHead('thing', { type }), end).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
    expect(error.message).toContain('thing')
  })

  test('the same path twice, a file below a file, a file in the place of a directory', async () => {
    await expect(send(await tar(good, good))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
    await expect(send(await tar({ name: 'a', content: 'x' }, { name: 'a/b', content: 'x' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
    await expect(send(await tar({ name: 'a/b', content: 'x' }, { name: 'a', content: 'x' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
    await expect(send(await tar({ name: 'a', content: 'x' }, { name: 'a', type: 'directory' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
    await expect(send(await tar({ name: 'a', content: 'x' }, { name: 'a', type: 'symlink', linkname: 'b' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY' })
  })
})

describe('too much', () => {
  test('100,000 files are refused at the limit, by the name of the file', async () => {
    let sent = 0
    async function* many(): AsyncGenerator<Buffer> {
      for (; sent < 100_000; sent++) yield rawHead(`f${sent}`)
      yield end
    }
    const error = await store.accept(Readable.from(many())).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'UPLOAD_TOO_MANY_FILES' })
    expect(error.details.why).toContain('"f1000"')
    expect(sent).toBeLessThan(20_000)
  })

  test('a sparse file of 2 GB is refused by its size, before its bytes', async () => {
    let sent = 0
    async function* sparse(): AsyncGenerator<Buffer> {
      yield rawHead('sparse', { size: 2 * 1024 * mib })
      for (; sent < 2048; sent++) yield Buffer.alloc(mib)
    }
    const packed = Readable.from(sparse()).pipe(createGzip({ level: 1 }))
    await expect(store.accept(packed)).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' })
    packed.destroy()
    expect(sent).toBeLessThan(500)
  })

  test.each(['gnu', 'pax'])('a file that GNU tar packed as sparse (%s) is refused, not kept as its map of holes', async (format) => {
    writeFileSync(join(root, 'holes'), 'begin')
    truncateSync(join(root, 'holes'), 4 * mib)
    const packed = execFileSync('tar', ['--sparse', `--format=${format}`, '-C', root, '-cf', '-', 'holes'])
    expect(packed.length).toBeLessThan(mib)
    await expect(send(packed)).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_ENTRY', details: { fix: expect.stringContaining('--sparse') } })
  })

  test('a gzip bomb that names small sizes is refused by what it unpacks to', async () => {
    async function* bomb(): AsyncGenerator<Buffer> {
      for (let index = 0; index < 2000; index++) yield Buffer.concat([rawHead(`${'p'.repeat(20)}${index}/`, { type: '5' })])
      for (let index = 0; index < 1000; index++) yield Buffer.alloc(mib)
    }
    await expect(store.accept(Readable.from(bomb()).pipe(createGzip()))).rejects.toMatchObject({ code: expect.stringMatching(/^UPLOAD_(TOO_LARGE|TOO_MANY_FILES)$/) })
  })

  test('more packed bytes than the limit', async () => {
    const small = createSourceStore(root, { ...limits, uploadBytes: mib })
    await expect(small.accept(Readable.from([await tar({ name: 'noise', content: randomBytes(2 * mib) })]))).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' })
  })

  test('a path or name that is too long or too deep', async () => {
    await expect(send(await tar({ name: 'n'.repeat(256), content: 'x' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
    await expect(send(await tar({ name: `${'d/'.repeat(100)}f`, content: 'x' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
    await expect(send(await tar({ name: `${`${'d'.repeat(60)}/`.repeat(30)}f`, content: 'x' }))).rejects.toMatchObject({ code: 'UPLOAD_UNSAFE_PATH' })
  })
})

test('what is kept has plain modes and our owner, and none of the history', async () => {
  const { digest, files } = await store.accept(
    Readable.from([gzipSync(await tar({ name: 'run.sh', mode: 0o4777, uid: 12_345, content: '#!/bin/sh' }, { name: 'secret', mode: 0o000, content: 'x' }, { name: 'dir', type: 'directory', mode: 0o700 }, { name: '.git/config', content: 'x' }))]),
  )
  const directory = store.directoryOf(digest)
  expect(files).toBe(2)
  expect(lstatSync(join(directory, 'run.sh')).mode & 0o7777).toBe(0o755)
  expect(lstatSync(join(directory, 'secret')).mode & 0o7777).toBe(0o644)
  expect(lstatSync(join(directory, 'run.sh')).uid).toBe(process.getuid!())
  expect(existsSync(join(directory, '.git'))).toBe(false)
})
