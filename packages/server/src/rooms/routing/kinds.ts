import { RouteSpec, RouteStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

/** Written by room release from the App; the agent's router follows it. */
export const route = defineKind<RouteSpec, RouteStatus>({
  kind: 'Route',
  plural: 'routes',
  scope: 'Namespaced',
  description: 'Hosts and path that lead to weighted instance sets.',
  spec: RouteSpec,
  status: RouteStatus,
  indexes: ['spec.app'],
  access: {},
  columns: [
    { name: 'App', type: 'string', description: 'App.', value: ({ spec }) => spec.app },
    { name: 'Environment', type: 'string', description: 'Environment.', value: ({ spec }) => spec.environment },
    { name: 'Hosts', type: 'string', description: 'Hosts.', value: ({ spec }) => spec.hosts.join(',') },
    { name: 'Path', type: 'string', description: 'Path prefix.', priority: 1, value: ({ spec }) => spec.path ?? '/' },
    { name: 'Backends', type: 'string', description: 'Where requests go.', priority: 1, value: ({ spec }) => spec.backends.map(({ instanceSet, weight }) => `${instanceSet}=${weight}`).join(',') },
  ],
})
