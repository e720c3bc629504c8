/**
 * Looks at an artifact and the source that it was made from, in a process that may read nothing else: parts of others with
 * their licences, and lines that look like secrets. One request as JSON on standard input, one answer on standard output.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inParallel } from './kernel/in-parallel.ts'
import { listTree, type TreeEntry } from './drivers/storage/tree.ts'
import { componentsOf, readers, type ReadFile } from './rooms/delivery/safety/inventory.ts'
import { jarProperties } from './rooms/delivery/safety/jars.ts'
import type { ScanAnswer, ScanRequest } from './rooms/delivery/ports.ts'
import { sbomOf } from './rooms/delivery/safety/sbom.ts'
import { mayHoldSecrets, secretsIn } from './rooms/delivery/safety/source-secrets.ts'

const largestFile = 4 * 1024 * 1024
const largestDatabase = 64 * 1024 * 1024
const largestSource = 512 * 1024
const mostSecrets = 200
const parallelReads = 16

async function inventory(root: string, entries: readonly TreeEntry[], of: ReadFile['of']): Promise<ReadFile[]> {
  const wanted = entries.filter(({ type, path, size }) => type === 'file' && size <= (/^(var|lib|usr)\//.test(path) ? largestDatabase : largestFile) && readers.some((reader) => reader.matches(path)))
  const files = await inParallel(wanted, parallelReads, async ({ path }): Promise<ReadFile> => ({ path, text: await readFile(join(root, path), 'utf8'), of }))
  const jars = of === 'artifact' ? entries.filter(({ type, path }) => type === 'file' && path.endsWith('.jar')) : []
  const inside = await inParallel(jars, parallelReads, async ({ path }) => (await jarProperties(join(root, path)).catch(() => [])).map((text): ReadFile => ({ path: 'META-INF/maven/g/a/pom.properties', text, of })))
  return [...files, ...inside.flat()]
}

async function secretsOf(root: string, entries: readonly TreeEntry[]): Promise<ScanAnswer['secrets']> {
  const files = entries.filter(({ type, path, size }) => type === 'file' && size <= largestSource && mayHoldSecrets(path))
  const found = await inParallel(files, parallelReads, async ({ path }) => {
    const content = await readFile(join(root, path))
    // Text only: a zero byte is in no source.
    return content.includes(0) ? [] : secretsIn(path, content.toString('utf8'))
  })
  return found.flat().slice(0, mostSecrets)
}

async function answer({ artifact, source, subject }: ScanRequest): Promise<ScanAnswer> {
  const [made, given] = await Promise.all([listTree(artifact), source === undefined ? [] : listTree(source)])
  const osRelease = await readFile(join(artifact, made.some(({ path, type }) => path === 'etc/os-release' && type === 'file') ? 'etc/os-release' : 'usr/lib/os-release'), 'utf8').catch(() => '')
  const components = componentsOf([...(await inventory(artifact, made, 'artifact')), ...(source === undefined ? [] : await inventory(source, given, 'source'))], osRelease)
  return { components, secrets: source === undefined ? [] : await secretsOf(source, given), sbom: sbomOf(subject, components) }
}

async function main(): Promise<void> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk
  process.stdout.write(JSON.stringify(await answer(JSON.parse(text) as ScanRequest)))
}

await main()
