/** Runbooks that Pavior brings, as Markdown with a head in YAML. A team takes over those that it wants, and they are its own then. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunbookSpec } from '@pavior/contract'
import { parse } from 'yaml'

export interface LibraryRunbook {
  name: string
  spec: RunbookSpec
}

const head = /^---\n([^]*?)\n---\n/

export async function readLibrary(directory: string): Promise<LibraryRunbook[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.md')).toSorted()
  return Promise.all(files.map(async (file) => ({ name: file.slice(0, -'.md'.length), spec: specOf(await readFile(join(directory, file), 'utf8')) })))
}

/** Throws for a head that is no YAML. */
export function specOf(text: string): RunbookSpec {
  const match = head.exec(text)
  const given = (match ? parse(match[1]!) : {}) as Omit<RunbookSpec, 'markdown'>
  return { ...given, markdown: text.slice(match?.[0].length ?? 0).trimStart() }
}
