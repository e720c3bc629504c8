import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { goldenMetadata } from '../metrics/golden.ts'
import { everyExpression } from './ast.ts'
import { parseQuery } from './parse.ts'

const directory = join(import.meta.dirname, '../../../../../../examples/grafana')

interface Dashboard {
  uid: string
  panels: { id: number; title: string; targets: { expr: string }[] }[]
  templating: { list: { name: string; query: string | { query: string } }[] }
}

/** As Grafana fills them in. */
function filledIn(text: string): string {
  return text.replaceAll('$__rate_interval', '1m0s').replaceAll('$__range', '3600s').replaceAll(/\$(team|app|environment)/g, 'shop')
}

describe.each(readdirSync(directory))('%s', (file) => {
  const dashboard = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Dashboard

  test('asks only for what Pavior measures, in expressions that can be read', () => {
    const selectors = dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [/^label_values\((.*), \w+\)$/.exec(query.query)![1]!]))
    const expressions = [...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), ...selectors].map(filledIn)
    expect(expressions.length).toBeGreaterThan(7)
    for (const expression of expressions) {
      for (const part of everyExpression(parseQuery(expression))) {
        const name = part.type === 'selector' ? part.matchers.find((matcher) => matcher.name === '__name__')!.value : undefined
        if (name !== undefined) expect([...goldenMetadata.keys()], expression).toContain(name.replace(/_bucket$/, ''))
      }
    }
  })

  test('has numbers and places of its own for every panel', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    expect(dashboard.uid).toMatch(/^pavior-/)
  })
})
