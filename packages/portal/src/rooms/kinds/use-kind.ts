/** The kind that the path names, with its schema. */
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ApiError } from '../../frame/api.ts'
import { kindsQuery, type Kind } from '../../frame/kinds.ts'
import { noTeam } from '../../frame/registry.ts'
import { schemasQuery, type KindSchema } from './schemas.ts'

export interface KnownKind extends Kind {
  schema: KindSchema
}

/** Undefined while it is on the way. Throws for a kind that does not exist; the frame shows it in place of the page. */
export function useKind(): KnownKind | undefined {
  const { plural = '' } = useParams({ strict: false }) as { plural?: string }
  const { data: kinds, error } = useQuery(kindsQuery)
  const { data: schemas, error: schemaError } = useQuery(schemasQuery)
  if (error ?? schemaError) throw (error ?? schemaError)!
  if (!kinds || !schemas) return undefined
  const kind = kinds.find((one) => one.plural === plural)
  const schema = kind && schemas[kind.kind]
  if (!kind || !schema) {
    const message = `There is no kind "${plural}".`
    throw new ApiError(404, { message, details: { pavior: { code: 'NOT_FOUND', message, fix: `There are: ${kinds.map((one) => one.plural).join(', ')}.` } } })
  }
  return { ...kind, schema }
}

/** The resource that the path names; the team is undefined for kinds that live in none. */
export function useNamed(): { team: string | undefined; name: string } {
  const { team, name = '' } = useParams({ strict: false }) as { team?: string; name?: string }
  return { team: team === noTeam ? undefined : team, name }
}
