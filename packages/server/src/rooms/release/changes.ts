/** What differs between two releases beside their source. Pure. */
import type { ProcessSpec, ReleaseChanges, ReleaseSpec, ValueChange } from '@pavior/contract'

export function releaseChanges(from: ReleaseSpec, to: ReleaseSpec): ReleaseChanges {
  return {
    artifact: { before: from.artifact, after: to.artifact, same: from.artifact === to.artifact },
    configuration: valueChanges(from.env, to.env),
    secrets: valueChanges(versions(from), versions(to)),
    processes: valueChanges(settings(from.processes), settings(to.processes)),
  }
}

function valueChanges(from: Record<string, string>, to: Record<string, string>): ValueChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted()
  return names
    .filter((name) => from[name] !== to[name])
    .map((name) => ({ name, ...(from[name] === undefined ? {} : { before: from[name] }), ...(to[name] === undefined ? {} : { after: to[name] }) }))
}

/** Never values: which version of which secret. */
function versions({ secrets = [] }: ReleaseSpec): Record<string, string> {
  return Object.fromEntries(secrets.map(({ key, secret, version }) => [key, `${secret} v${version}`]))
}

function settings(processes: Record<string, ProcessSpec>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(processes).flatMap(([process, spec]) => Object.entries(spec).map(([name, value]) => [`${process}.${name}`, typeof value === 'object' ? JSON.stringify(value) : String(value)])),
  )
}
