import { fail } from '@pavior/contract'
import { LineCounter, parseDocument } from 'yaml'

const largestManifest = 256 * 1024
/** Aliases that may be expanded: enough for anchors in earnest, too few for a bomb. */
const mostAliases = 50

/** One YAML document, with the line of any path in it. */
export function parseYaml(file: string, text: string): { value: unknown; lineOf: (path: string[]) => number | undefined } {
  if (text.length > largestManifest) throw fail('MANIFEST_TOO_LARGE', { message: `${file} has ${Math.round(text.length / 1024)} kB; the limit is ${largestManifest / 1024} kB.` })
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true })
  const error = document.errors[0]
  if (error) throw fail('MANIFEST_INVALID', { message: `${file} is not valid YAML: ${error.message.split('\n')[0]}`, causes: [{ field: `${file}:${error.linePos?.[0].line ?? 1}`, message: error.message.split('\n')[0]! }] })
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: mostAliases })
  } catch (cause) {
    throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${(cause as Error).message}` })
  }
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) throw fail('MANIFEST_INVALID', { message: `${file} must be a map of fields.` })
  return {
    value,
    lineOf: (path) => {
      const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined
      return node?.range ? lines.linePos(node.range[0]).line : undefined
    },
  }
}
