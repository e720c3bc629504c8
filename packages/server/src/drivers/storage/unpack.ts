/** Unpacks an uploaded tar, plain or gzip, into an empty directory. The archive is hostile until proven otherwise. */
import { createWriteStream } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { fail, isPaviorError, type PaviorError } from '@pavior/contract'
import { extract, type Header } from 'tar-stream'

export interface UnpackLimits {
  /** Packed bytes. */
  uploadBytes: number
  /** Unpacked bytes. */
  sourceBytes: number
  sourceFiles: number
}

const longestPath = 1024
const longestName = 255
const deepestPath = 64
/** Files up to this size are held in memory, one at a time. */
const largestAtOnceBytes = 1024 * 1024
/** Headers and padding of a tar come on top of the contents. */
const tarOverhead = { factor: 1.1, bytes: 64 * 1024 * 1024 }
/** History of version control is not source. */
const ignoredRoots = new Set(['.git', '.hg', '.svn'])

interface Unpacked {
  files: number
  bytes: number
}

export async function unpack(stream: Readable, directory: string, limits: UnpackLimits): Promise<Unpacked> {
  const seen: Unpacked = { files: 0, bytes: 0 }
  const links: { path: string; target: string }[] = []
  const tar = extract()
  // A sender is answered although it still sends: its connection is not closed under it.
  const unclosed = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  try {
    const { packed, gzip } = await peek(limitBytes(unclosed, limits.uploadBytes, () => tooLarge('The upload', limits.uploadBytes)))
    const allowance = limits.sourceBytes * tarOverhead.factor + tarOverhead.bytes
    const capped = (source: AsyncIterable<Buffer>): AsyncIterable<Buffer> => limitBytes(source, allowance, () => tooLarge('The unpacked source', limits.sourceBytes))
    const feed = gzip ? pipeline(packed, createGunzip(), capped, tar) : pipeline(packed, capped, tar)
    const entries = unpackEntries(tar, directory, limits, seen, links).catch((error: Error) => {
      // Nobody reads on: without an end of its own the feed would hold the connection, and whatever comes next on it, for ever.
      tar.destroy(error)
      throw error
    })
    await bothEnded(entries, feed)
    await makeLinks(directory, links)
  } catch (error) {
    throw translate(error as Error)
  }
  if (seen.files === 0) throw fail('UPLOAD_EMPTY', { message: 'The archive holds no file.' })
  return seen
}

/** Waits for both whatever happens; what the first one says is why the second one failed. */
async function bothEnded(first: Promise<void>, second: Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled([first, second])
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

async function* limitBytes(source: AsyncIterable<Buffer>, limit: number, error: () => Error): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > limit) throw error()
    yield chunk
  }
}

/** The same bytes again, and whether they begin like gzip. */
async function peek(source: AsyncGenerator<Buffer>): Promise<{ packed: Readable; gzip: boolean }> {
  const first = await source.next()
  const head: Buffer = first.done ? Buffer.alloc(0) : first.value
  const again = async function* (): AsyncGenerator<Buffer> {
    yield head
    yield* source
  }
  return { packed: Readable.from(again()), gzip: head[0] === 0x1f && head[1] === 0x8b }
}

async function unpackEntries(tar: ReturnType<typeof extract>, directory: string, limits: UnpackLimits, seen: Unpacked, links: { path: string; target: string }[]): Promise<void> {
  const made = new Set<string>([''])
  const ensureDirectory = async (relative: string): Promise<void> => {
    if (made.has(relative)) return
    await makeDirectory(directory, relative)
    made.add(relative)
  }
  for await (const entry of tar) {
    const { header } = entry
    const path = safePath(header)
    if (path === undefined || ignoredRoots.has(path.split('/')[0]!)) {
      entry.resume()
      continue
    }
    count(header, path, seen, limits)
    if (header.type === 'file' || header.type === 'contiguous-file') {
      await ensureDirectory(parentOf(path))
      await writeEntry(entry, join(directory, path), header).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EEXIST' || error.code === 'EISDIR' ? twice(path) : error
      })
      continue
    }
    if (header.type === 'directory') await ensureDirectory(path)
    else links.push({ path, target: safeTarget(header, path) })
    entry.resume()
  }
}

/** A source is mostly small files: those are written in one go, which spares the garbage of a stream for each. */
async function writeEntry(entry: AsyncIterable<unknown>, path: string, { mode = 0, size = 0 }: Header): Promise<void> {
  const options = { mode: mode & 0o100 ? 0o755 : 0o644, flag: 'wx' }
  if (size > largestAtOnceBytes) return pipeline(entry, createWriteStream(path, { mode: options.mode, flags: options.flag }))
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk as Buffer)
  await writeFile(path, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), options)
}

/** Links last, so that no file can be written through one. */
async function makeLinks(directory: string, links: { path: string; target: string }[]): Promise<void> {
  const targets = new Map(links.map(({ path, target }) => [path, target]))
  for (const { path, target } of links) if (leadsOutside(path, targets)) throw unsafeLink(path, target)
  for (const { path, target } of links) {
    await makeDirectory(directory, parentOf(path))
    await symlink(target, join(directory, path)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? twice(path) : error
    })
  }
}

async function makeDirectory(root: string, path: string): Promise<void> {
  await mkdir(join(root, path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' || error.code === 'ENOTDIR' ? twice(path) : error
  })
}

/** Links that the kernel follows before it gives up. */
const mostLinks = 40

/** Follows a path as the kernel would: a link on the way may make a target lead elsewhere than its text says. */
function leadsOutside(path: string, targets: ReadonlyMap<string, string>): boolean {
  const ahead = path.split('/')
  const at: string[] = []
  let followed = 0
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (at.pop() === undefined) return true
      continue
    }
    at.push(part)
    const target = targets.get(at.join('/'))
    if (target === undefined) continue
    if (++followed > mostLinks) return false
    at.pop()
    ahead.unshift(...target.split('/'))
  }
  return false
}

function unsafeLink(path: string, target: string): Error {
  return fail('UPLOAD_UNSAFE_PATH', { message: `The link "${path}" in the archive leads to ${JSON.stringify(target.slice(0, 200))}, outside of it.`, fix: 'Replace the link by the file, or make it relative and inside.' })
}

function parentOf(path: string): string {
  const parent = posix.dirname(path)
  return parent === '.' ? '' : parent
}

/** Undefined for entries that carry no file of their own. */
function safePath({ name, type, pax }: Header): string | undefined {
  const shown = JSON.stringify(name.slice(0, 200))
  const unsafe = (why: string): Error => fail('UPLOAD_UNSAFE_PATH', { message: `The archive holds the path ${shown}, which ${why}.` })
  if (name.startsWith('/')) throw unsafe('is absolute')
  if (name.includes('\0') || name.includes('\\')) throw unsafe('holds a character that paths may not have')
  const path = posix.normalize(name).replace(/\/+$/, '')
  if (name.split('/').includes('..')) throw unsafe('leads outside of the archive')
  if (path === '.' || path === '') return undefined
  const parts = path.split('/')
  if (path.length > longestPath || parts.length > deepestPath || parts.some((part) => Buffer.byteLength(part) > longestName)) throw unsafe('is too long or too deep')
  // Its contents are a map of holes and what lies between them; GNU tar gives it a type of its own, or names it in a pax header.
  if (type === null || Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse.'))) {
    throw fail('UPLOAD_UNSAFE_ENTRY', { message: `The archive holds "${path}" as a sparse file, or as something else that is not known here.`, fix: 'Pack it without the option --sparse (-S) of tar, or leave it out.' })
  }
  if (!['file', 'contiguous-file', 'directory', 'symlink', 'link'].includes(String(type))) {
    throw fail('UPLOAD_UNSAFE_ENTRY', { message: `The archive holds "${path}", which is a ${String(type).replaceAll('-', ' ')}.` })
  }
  return path
}

/** A relative target that stays inside. Hard links become symbolic ones: their target is named from the root of the archive. */
function safeTarget({ type, linkname }: Header, path: string): string {
  const target = linkname ?? ''
  const from = parentOf(path)
  const resolved = posix.normalize(type === 'link' ? target : posix.join(from, target))
  if (target === '' || target.startsWith('/') || resolved === '..' || resolved.startsWith('../') || target.includes('\0')) {
    throw unsafeLink(path, target)
  }
  return type === 'link' ? posix.relative(from || '.', resolved) : target
}

function count({ size = 0 }: Header, path: string, seen: Unpacked, { sourceBytes, sourceFiles }: UnpackLimits): void {
  seen.files++
  seen.bytes += size
  if (seen.files > sourceFiles) throw fail('UPLOAD_TOO_MANY_FILES', { message: `The archive holds more than ${sourceFiles} files.`, why: `The limit was reached at "${path}".` })
  if (seen.bytes > sourceBytes) throw tooLarge('The unpacked source', sourceBytes, `The limit was reached at "${path}".`)
}

function twice(path: string): Error {
  return fail('UPLOAD_UNSAFE_ENTRY', { message: `The archive holds "${path}" twice, or as a file and as a directory.`, fix: 'Pack the directory again.' })
}

function tooLarge(what: string, limit: number, why?: string): PaviorError {
  return fail('UPLOAD_TOO_LARGE', { message: `${what} is larger than ${Math.round(limit / 1024 / 1024)} MiB.`, ...(why === undefined ? {} : { why }) })
}

function translate(error: Error): Error {
  if (isPaviorError(error)) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return fail('DISK_FULL', { message: 'The disk is full; the upload was not kept.' }, { cause: error })
  if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || /Unexpected end|Invalid tar|incorrect header check|Writable stream closed/i.test(error.message)) {
    return fail('UPLOAD_TRUNCATED', { message: 'The uploaded archive is damaged or ends too early.', why: error.message }, { cause: error })
  }
  if (code === 'ENAMETOOLONG') return fail('UPLOAD_UNSAFE_PATH', { message: 'The archive holds a path that is too long.' }, { cause: error })
  return error
}
