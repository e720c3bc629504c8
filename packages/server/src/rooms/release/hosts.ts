/** Pure: which hosts an app answers on. */
import type { AppSpec } from '@pavior/contract'

export interface HostPolicy {
  /** Domain below which apps get their hosts. */
  domain: string
  defaultTeam: string
  defaultEnvironment: string
}

/**
 * `<app>.<team>.<domain>` for the default environment of the team, `<environment>--<app>.<team>.<domain>` for others; for
 * the default environment of the default team also the short `<app>.<domain>`, which then comes first. Other environments of the
 * default team answer on their short name too.
 */
export function hostsOf(app: string, team: string, environment: string, { domain, defaultTeam, defaultEnvironment }: HostPolicy): string[] {
  const usual = environment === defaultEnvironment
  const label = usual ? app : `${environment}--${app}`
  const long = `${label}.${team}.${domain}`
  const short = `${label}.${domain}`
  if (team !== defaultTeam) return [long]
  return usual ? [short, long] : [long, short]
}

export interface WantedRoute {
  /** Suffix of the resource's name; empty for the first. */
  suffix: string
  hosts: string[]
  path: string
}

/** The platform's own hosts first, then what the App declares, one Route a path. */
export function wantedRoutes(app: string, team: string, environment: string, spec: AppSpec, policy: HostPolicy): WantedRoute[] {
  const own = hostsOf(app, team, environment, policy)
  const declared = (spec.routes ?? []).filter((route) => (route.environment ?? policy.defaultEnvironment) === environment)
  const byPath = new Map<string, Set<string>>([['/', new Set(own)]])
  for (const { host, path = '/' } of declared) {
    const hosts = byPath.get(path) ?? new Set<string>()
    for (const name of host === undefined ? own : [host]) hosts.add(name)
    byPath.set(path, hosts)
  }
  return [...byPath].map(([path, hosts], index) => ({ suffix: index === 0 ? '' : `-${index}`, hosts: [...hosts], path }))
}
