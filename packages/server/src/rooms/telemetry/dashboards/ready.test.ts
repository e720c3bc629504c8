import { queriesOf, readyDashboards, usedVariables, type Resource, type DashboardSpec } from '@pavior/contract'
import { expect, test } from 'vitest'
import { goldenMetadata } from '../metrics/golden.ts'
import { everyExpression } from '../promql/ast.ts'
import { parseQuery } from '../promql/parse.ts'
import { queryCauses } from './check.ts'
import { toGrafana } from './grafana-export.ts'
import { dashboard } from './kinds.ts'
import { ready } from './ready.ts'

const check = async (query: string): Promise<void> => void parseQuery(query)

test.each(readyDashboards)('%s could be saved as it is', async (name) => {
  const resource = { metadata: { name: 'copy' }, spec: ready[name] } as unknown as Resource<DashboardSpec>
  expect(dashboard.validate!(resource, undefined)).toEqual([])
  expect(await queryCauses(ready[name], check)).toEqual([])
  expect(dashboard.reservedNames).toContain(name)
})

test.each(readyDashboards)('%s asks only for what Pavior measures', (name) => {
  const selectors = queriesOf(ready[name]).flatMap(({ query }) => everyExpression(parseQuery(query.query.replaceAll(/\$__\w+/g, '1m')))).filter((part) => part.type === 'selector')
  expect(selectors.length).toBeGreaterThan(1)
  for (const { matchers } of selectors) {
    const measured = matchers.find((matcher) => matcher.name === '__name__')!.value
    expect([...goldenMetadata.keys()]).toContain(measured.replace(/_(bucket|sum|count)$/, ''))
  }
})

test('in Grafana it asks for its variables, each narrowed down by those before', () => {
  const { dashboard: made, leftOut } = toGrafana('debug', ready.debug, 'http://localhost:7070/dashboards/blue/debug')
  const { list } = made.templating as { list: { name: string; query: unknown }[] }
  expect(list.map(({ name }) => name)).toEqual(['source', 'team', 'app', 'environment'])
  expect(list[3]!.query).toMatchObject({ query: 'label_values(pavior_instance_healthy{team="$team",app="$app"}, environment)' })
  expect(leftOut.map(({ name }) => name)).toEqual(['Log lines by level', 'Slowest traces', 'Changes told from elsewhere', 'Deployments'])
  expect([...usedVariables(ready.executive)].filter((name) => !name.startsWith('__'))).toEqual(['team'])
})
