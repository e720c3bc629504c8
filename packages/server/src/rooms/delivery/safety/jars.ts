/** What Maven wrote into a jar, and into the jars that lie in it as Spring Boot packs them. */
import yauzl, { type Entry, type ZipFile } from 'yauzl'

const mostEntries = 100_000
const largestEntry = 128 * 1024 * 1024

const isProperties = (path: string): boolean => /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(path)
const isInnerJar = (path: string): boolean => /^(BOOT-INF|WEB-INF)\/lib\/[^/]+\.jar$/.test(path)

/** Texts of every `pom.properties`. */
export async function jarProperties(path: string): Promise<string[]> {
  return propertiesOf(await new Promise<ZipFile>((resolve, reject) => yauzl.open(path, { lazyEntries: true, autoClose: true }, (error, zip) => (error ? reject(error) : resolve(zip)))), true)
}

async function propertiesOf(zip: ZipFile, outer: boolean): Promise<string[]> {
  const found: string[] = []
  for await (const [entry, read] of entriesOf(zip)) {
    if (entry.uncompressedSize > largestEntry) continue
    if (isProperties(entry.fileName)) found.push((await read()).toString('utf8'))
    else if (outer && isInnerJar(entry.fileName)) found.push(...(await innerProperties(await read()).catch(() => [])))
  }
  return found
}

async function innerProperties(jar: Buffer): Promise<string[]> {
  return propertiesOf(await new Promise<ZipFile>((resolve, reject) => yauzl.fromBuffer(jar, { lazyEntries: true }, (error, zip) => (error ? reject(error) : resolve(zip)))), false)
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<[Entry, () => Promise<Buffer>]> {
  const read = (entry: Entry) => async (): Promise<Buffer> => {
    const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened))))
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
  for (let count = 0; count < Math.min(zip.entryCount, mostEntries); count++) {
    const entry = await new Promise<Entry>((resolve, reject) => {
      zip.once('entry', resolve)
      zip.once('error', reject)
      zip.readEntry()
    })
    yield [entry, read(entry)]
  }
}
