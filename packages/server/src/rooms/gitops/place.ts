import type { ConfigPlace } from './ports.ts'
import type { ConfigRepo } from './sync.ts'

export function branchOf({ spec }: ConfigRepo): string {
  return spec.branch ?? 'main'
}

export function placeOf({ metadata, spec }: ConfigRepo): ConfigPlace {
  return { team: metadata.namespace!, name: metadata.name, hosted: spec.hosted === true }
}
