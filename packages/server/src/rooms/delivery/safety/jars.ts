/** What Maven wrote into a jar, and into the jars that lie in it as Spring Boot packs them. */
import { buffer } from 'node:stream/consumers'
import yauzl, { type ZipFile } from 'yauzl'

const largestEntry = 128 * 1024 * 1024

const isProperties = (path: string): boolean => /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(path)
const isInnerJar = (path: string): boolean => /^(BOOT-INF|WEB-INF)\/lib\/[^/]+\.jar$/.test(path)

/** Texts of every `pom.properties`. */
export async function jarProperties(path: string): Promise<string[]> {
  return propertiesOf(await yauzl.openPromise(path), true)
}

async function propertiesOf(zip: ZipFile, outer: boolean): Promise<string[]> {
  const found: string[] = []
  for await (const entry of zip.eachEntry()) {
    if (entry.uncompressedSize > largestEntry) continue
    const read = async (): Promise<Buffer> => buffer(await zip.openReadStreamPromise(entry))
    if (isProperties(entry.fileName)) found.push((await read()).toString('utf8'))
    else if (outer && isInnerJar(entry.fileName)) found.push(...(await innerProperties(await read()).catch(() => [])))
  }
  return found
}

async function innerProperties(jar: Buffer): Promise<string[]> {
  return propertiesOf(await yauzl.fromBufferPromise(jar), false)
}
