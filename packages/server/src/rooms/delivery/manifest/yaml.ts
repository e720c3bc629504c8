import { fail } from '@pavior/contract'
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml'

const largestManifest = 256 * 1024
/** Aliases that may be expanded: enough for anchors in earnest, too few for a bomb. */
const mostAliases = 50

/** One YAML document, with the line of any path in it. */
export function parseYaml(file: string, text: string): { value: unknown; lineOf: (path: string[]) => number | undefined } {
  if (text.length > largestManifest) throw fail('MANIFEST_TOO_LARGE', { message: `${file} has ${Math.round(text.length / 1024)} kB; the limit is ${largestManifest / 1024} kB.` })
  const lines = new LineCounter()
  const document = parse(file, text, lines)
  const error = document.errors[0]
  if (error) throw fail('MANIFEST_INVALID', { message: `${file} is not valid YAML: ${error.message.split('\n')[0]}`, causes: [{ field: `${file}:${error.linePos?.[0].line ?? 1}`, message: error.message.split('\n')[0]! }] })
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: mostAliases })
  } catch (cause) {
    throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${(cause as Error).message}` })
  }
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) throw fail('MANIFEST_INVALID', { message: `${file} must be a map of fields.` })
  return { value, lineOf: (path) => lineOfPath(document, lines, path) }
}

/** Nesting without end exhausts the stack of the parser. */
function parse(file: string, text: string, lines: LineCounter): Document {
  try {
    return parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true }) as Document
  } catch (error) {
    throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message}.` })
  }
}

/** Line of the key, or of the item of a list; of what holds it when it is not there. */
function lineOfPath(document: Document, lines: LineCounter, path: string[]): number | undefined {
  const holder = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents
  const pair = isMap(holder) ? holder.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1)) : undefined
  const node = pair && isScalar(pair.key) ? pair.key : document.getIn(path, true)
  const range = (node as { range?: [number, number, number] } | undefined)?.range
  if (range) return lines.linePos(range[0]).line
  return path.length > 1 ? lineOfPath(document, lines, path.slice(0, -1)) : undefined
}
