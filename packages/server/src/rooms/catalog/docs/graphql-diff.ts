/** What changed between two GraphQL schemas, as the GraphQL library itself judges it, and what is new. */
import type { GraphQLSchema } from 'graphql'
import type { ApiChange } from '../ports.ts'
import type { GraphQL } from './graphql.ts'
import { ordered } from './schema-diff.ts'

export function diffGraphQl({ findBreakingChanges, findDangerousChanges }: GraphQL, before: GraphQLSchema, after: GraphQLSchema): ApiChange[] {
  return ordered([
    ...findBreakingChanges(before, after).map(({ description }) => ({ breaking: true, ...placed(description) })),
    ...findDangerousChanges(before, after).map(({ description }) => ({ breaking: false, risky: true, ...placed(description) })),
    ...additions(before, after),
  ])
}

/** `Query.orders was removed.` → at Query.orders: was removed */
function placed(description: string): { where: string; what: string } {
  const text = description.replace(/\.$/, '')
  const where = /\b[A-Za-z_]\w*\.\w+/.exec(text)?.[0]
  if (where === undefined) return { where: 'The schema', what: `: ${text}` }
  return { where, what: text.startsWith(`${where} `) ? text.slice(where.length + 1) : `: ${text}` }
}

function additions(before: GraphQLSchema, after: GraphQLSchema): ApiChange[] {
  const old = before.getTypeMap()
  return Object.values(after.getTypeMap()).flatMap((type): ApiChange[] => {
    if (type.name.startsWith('__')) return []
    const former = Object.hasOwn(old, type.name) ? old[type.name]! : undefined
    if (former === undefined) return [{ breaking: false, where: type.name, what: 'is new' }]
    // New fields of inputs are told as dangerous or breaking already.
    if (!('getInterfaces' in type) || !('getInterfaces' in former)) return []
    const fields = former.getFields()
    return Object.keys(type.getFields()).filter((name) => !Object.hasOwn(fields, name)).map((name) => ({ breaking: false, where: `${type.name}.${name}`, what: 'is new' }))
  })
}
