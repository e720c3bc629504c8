/** Rules over more than one resource that hold for everybody, before any policy. */
import { fail } from '@pavior/contract'
import type { AdmissionRequest } from './resources.ts'

/** A namespaced resource needs its team. */
export function teamMustExist(teamExists: (team: string) => boolean): (request: AdmissionRequest) => Promise<void> {
  return async ({ verb, kind, object, actor }) => {
    if (verb !== 'create' || kind.scope !== 'Namespaced' || actor.kind === 'system') return
    const team = object.metadata.namespace ?? ''
    if (!teamExists(team)) throw fail('NOT_FOUND', { message: `namespaces "${team}" not found`, why: `There is no team "${team}".`, fix: 'Create the team first, or check its name.' })
  }
}
