/** Files of a template or of what it renders, held in memory: nothing that a template says can touch a disk. */
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { fail } from '@pavior/contract'

export interface TreeFile {
  content: Buffer
  executable: boolean
}
/** By path: relative, with slashes. */
export type Tree = Map<string, TreeFile>

export const mostFiles = 2000
export const mostTreeBytes = 16 * 1024 * 1024
const longestPath = 1000
const longestName = 200
/** Names that are devices where some of those who clone live. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i

/** Throws TEMPLATE_UNSAFE_PATH; returns the path without ./ and doubled slashes. */
export function safePath(path: string): string {
  const shown = JSON.stringify(path.slice(0, 200))
  const refuse = (why: string): never => {
    throw fail('TEMPLATE_UNSAFE_PATH', { message: `The template renders the path ${shown}, which ${why}.` })
  }
  if (path.includes('\\') || /\p{Cc}/u.test(path)) refuse('holds a character that paths may not have')
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) refuse('is absolute')
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) refuse('leads outside of the repository')
  if (parts.length === 0) refuse('is empty')
  for (const part of parts) {
    if (/^(\.git|git~\d)[. ]*$/i.test(part)) refuse('belongs to git itself')
    if (devices.test(part)) refuse('is the name of a device on some systems')
    if (/[. ]$/.test(part)) refuse('ends in a dot or space')
    if (Buffer.byteLength(part) > longestName) refuse('is too long')
  }
  const joined = parts.join('/')
  if (joined.length > longestPath) refuse('is too long')
  return joined
}

/** Adds files under safe paths and within the limits; a later file replaces an earlier one. */
export function addFiles(tree: Tree, files: Iterable<[string, TreeFile]>): void {
  for (const [path, file] of files) {
    const safe = safePath(path)
    for (let parent = safe.lastIndexOf('/'); parent > 0; parent = safe.lastIndexOf('/', parent - 1)) {
      if (tree.has(safe.slice(0, parent))) throw fail('TEMPLATE_UNSAFE_PATH', { message: `The template renders "${safe.slice(0, parent)}" as a file and as a directory.` })
    }
    tree.set(safe, file)
  }
  checkSize(tree)
}

export function checkSize(tree: Tree): void {
  const bytes = [...tree.values()].reduce((sum, { content }) => sum + content.length, 0)
  if (tree.size > mostFiles) throw fail('TEMPLATE_TOO_LARGE', { message: `The template has more than ${mostFiles} files.` })
  if (bytes > mostTreeBytes) throw fail('TEMPLATE_TOO_LARGE', { message: `The template has more than ${mostTreeBytes / 1024 / 1024} MiB.` })
}

export function digestOf(tree: Tree): string {
  const hash = createHash('sha256')
  for (const [path, { content, executable }] of sorted(tree)) hash.update(`${path}\0${executable ? 'x' : ''}\0${content.length}\0`).update(content)
  return `sha256:${hash.digest('hex')}`
}

export function sorted(tree: Tree): [string, TreeFile][] {
  return [...tree].toSorted(([one], [other]) => (one < other ? -1 : 1))
}

export function pack(tree: Tree): Buffer {
  return gzipSync(JSON.stringify(sorted(tree).map(([path, { content, executable }]) => [path, content.toString('base64'), executable ? 1 : 0])))
}

export function unpack(packed: Buffer): Tree {
  const entries = JSON.parse(gunzipSync(packed, { maxOutputLength: mostTreeBytes * 2 }).toString()) as [string, string, 0 | 1][]
  return new Map(entries.map(([path, content, executable]) => [path, { content: Buffer.from(content, 'base64'), executable: executable === 1 }]))
}

/** Files below a directory, under their paths from there. */
export function below(tree: Tree, directory: string): Tree {
  const prefix = directory.replace(/^(\.\/)+/, '').replace(/^\.?\/?$/, '').replace(/\/*$/, '')
  if (prefix.split('/').includes('..')) throw fail('TEMPLATE_UNSAFE_PATH', { message: `The template fetches ${JSON.stringify(directory)}, which leads outside of it.` })
  if (prefix === '') return new Map(tree)
  return new Map([...tree].flatMap(([path, file]) => (path.startsWith(`${prefix}/`) ? [[path.slice(prefix.length + 1), file] as const] : [])))
}

/** Whether a path fits a glob of `*`, `**` and `?`; a directory's name covers all below it. */
export function fits(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => globPattern(glob).test(path))
}

function globPattern(glob: string): RegExp {
  const body = glob
    .replace(/^\.\//, '')
    .replace(/\/$/, '')
    .split(/(\*\*\/?|\*|\?)/)
    .map((part) => (part === '**/' ? '(?:[^/]+/)*' : part === '**' ? '.*' : part === '*' ? '[^/]*' : part === '?' ? '[^/]' : part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${body}(?:/.*)?$`)
}
