import { describe, expect, test } from 'vitest'
import { hostsOf, wantedRoutes } from './hosts.ts'

const policy = { domain: 'localhost', defaultTeam: 'default', defaultEnvironment: 'production' }

test.each([
  ['default', 'production', ['shop.localhost', 'shop.default.localhost']],
  ['default', 'staging', ['staging--shop.default.localhost', 'staging--shop.localhost']],
  ['blue', 'production', ['shop.blue.localhost']],
  ['blue', 'staging', ['staging--shop.blue.localhost']],
])('an app of team %s in %s answers on %j', (team, environment, hosts) => {
  expect(hostsOf('shop', team, environment, policy)).toEqual(hosts)
})

describe('declared routes', () => {
  const wanted = (routes: { host?: string; path?: string; environment?: string }[], environment = 'production') => wantedRoutes('shop', 'blue', environment, { routes }, policy)

  test('come on top of the own hosts, each host once, a route for each path', () => {
    expect(wanted([{ host: 'shop.example' }, { host: 'shop.example' }, { path: '/api' }, { host: 'api.example', path: '/api' }])).toEqual([
      { suffix: '', hosts: ['shop.blue.localhost', 'shop.example'], path: '/' },
      { suffix: '-1', hosts: ['shop.blue.localhost', 'api.example'], path: '/api' },
    ])
  })

  test('count in their environment only', () => {
    expect(wanted([{ host: 'shop.example' }], 'staging')).toEqual([{ suffix: '', hosts: ['staging--shop.blue.localhost'], path: '/' }])
    expect(wanted([{ host: 'stage.example', environment: 'staging' }], 'staging')[0]!.hosts).toContain('stage.example')
  })
})
