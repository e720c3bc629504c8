/** Advisories in files as OSV gives them: a zip of JSON files, JSON, or one a line. */
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import yauzl from 'yauzl'

/** Each as one line of JSON with its end. */
export async function* advisoryLines(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) {
    if (file.endsWith('.zip')) yield* zipLines(file)
    else if (file.endsWith('.jsonl') || file.endsWith('.ndjson')) for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) yield `${line}\n`
    else for (const one of listed(JSON.parse(await readFile(file, 'utf8')))) yield `${JSON.stringify(one)}\n`
  }
}

/** One, a list, or what the API of OSV answers. */
function listed(parsed: unknown): unknown[] {
  if (Array.isArray(parsed)) return parsed
  const { vulns } = parsed as { vulns?: unknown }
  return Array.isArray(vulns) ? vulns : [parsed]
}

async function* zipLines(file: string): AsyncGenerator<string> {
  const zip = await yauzl.openPromise(file)
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.endsWith('.json')) continue
    // On one line, however it was written.
    yield `${JSON.stringify(await json(await zip.openReadStreamPromise(entry)))}\n`
  }
}
