/** A prepared statement's name stands for one text on every connection: two texts of one name would refuse each other at some later moment. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Arguments of the call that begins behind the bracket at `from`, as they are written. */
function argumentsAt(source: string, from: number): string[] {
  const found: string[] = []
  let depth = 0
  let quote = ''
  let begin = from
  for (let at = from; at < source.length; at++) {
    const sign = source[at]!
    if (quote !== '') {
      if (sign === '\\') at++
      else if (sign === quote) quote = ''
    } else if ('\'"`'.includes(sign)) quote = sign
    else if ('([{'.includes(sign)) depth++
    else if (depth > 0 && ')]}'.includes(sign)) depth--
    else if (depth === 0 && (sign === ',' || sign === ')')) {
      found.push(source.slice(begin, at).trim())
      begin = at + 1
      if (sign === ')') return found
    }
  }
  return found
}

function namedStatements(source: string): { name: string; text: string }[] {
  return [...source.matchAll(/\.(?:query|write)(?:<[^()]*?>)?\(/g)].flatMap(({ index, 0: call }) => {
    const [text = '', , name = ''] = argumentsAt(source, index + call.length)
    return /^'[\w-]+'$/.test(name) ? [{ name: name.slice(1, -1), text }] : []
  })
}

test('names of prepared statements are unique', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const all = files.flatMap((file) => namedStatements(readFileSync(join(root, file), 'utf8')).map((statement) => ({ ...statement, file })))
  expect(all.length).toBeGreaterThan(30)
  const byName = new Map<string, typeof all>()
  for (const statement of all) byName.set(statement.name, [...(byName.get(statement.name) ?? []), statement])
  const twice = [...byName].filter(([, statements]) => new Set(statements.map(({ text }) => text)).size > 1).map(([name, statements]) => `${name}: ${statements.map(({ file }) => file).join(', ')}`)
  expect(twice).toEqual([])
})
