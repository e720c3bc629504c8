/** Saving fields that were shown: refused when a person changed them since, and only then. */
import type { Resource } from '@pavior/contract'
import { ApiError, get, patch, resourcePath } from './api.ts'

/** Writes of the platform to a status that may come between reading and writing. */
const mostTries = 5

/**
 * Replaces fields of the spec of `shown` unless somebody changed one of them meanwhile (CONFLICT). The platform writes statuses all the
 * time, and that is nobody's change.
 */
export async function saveFields<Spec extends object>(plural: string, shown: Resource<Spec>, fields: Partial<Spec>): Promise<void> {
  const path = resourcePath(plural, shown.metadata.namespace, shown.metadata.name)
  for (let tries = 1, { resourceVersion } = shown.metadata; ; tries++) {
    try {
      await patch(path, { metadata: { resourceVersion }, spec: fields })
      return
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'CONFLICT') || tries === mostTries) throw error
      const now = await get<Resource<Spec>>(path)
      const changed = now.metadata.uid !== shown.metadata.uid || Object.keys(fields).some((field) => textOf(now.spec, field) !== textOf(shown.spec, field))
      if (changed) throw error
      resourceVersion = now.metadata.resourceVersion
    }
  }
}

/** The server keeps the order of fields as they were written. */
function textOf(spec: object, field: string): string | undefined {
  return JSON.stringify((spec as Record<string, unknown>)[field])
}
