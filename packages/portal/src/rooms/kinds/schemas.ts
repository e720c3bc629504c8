/** Schemas of the kinds, from the OpenAPI document of the server. */
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import type { FormSchema } from '../../pieces/schema-plan.ts'

export interface KindSchema {
  description: string
  spec: FormSchema
  status: FormSchema | undefined
}

interface Model {
  description?: string
  properties: { spec?: FormSchema; status?: FormSchema }
}

interface OpenApi {
  components: { schemas: Record<string, Model> }
}

const modelPrefix = 'dev.pavior.v1.'

/** By kind: App, Team. */
export const schemasQuery = queryOptions({
  queryKey: ['schemas'],
  staleTime: Infinity,
  queryFn: async ({ signal }): Promise<Record<string, KindSchema>> => {
    const { paths } = await get<{ paths: Record<string, { serverRelativeURL: string }> }>('/openapi/v3', signal)
    const documents = await Promise.all(Object.values(paths).map(({ serverRelativeURL }) => get<OpenApi>(serverRelativeURL, signal)))
    const models = documents.flatMap(({ components }) => Object.entries(components.schemas))
    return Object.fromEntries(
      models.flatMap(([name, { description = '', properties }]) => (name.startsWith(modelPrefix) && properties?.spec ? [[name.slice(modelPrefix.length), { description, spec: properties.spec, status: properties.status }]] : [])),
    )
  },
})
