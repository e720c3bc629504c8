/** Reading GraphQL schemas of strangers. The library is loaded when first needed. */
import type { DefinitionNode, GraphQLSchema } from 'graphql'

export type GraphQL = typeof import('graphql')

/** Longer documents are refused: reading them would take seconds. */
const mostTokens = 200_000
const baseKinds: Record<string, string> = {
  ObjectTypeExtension: 'ObjectTypeDefinition', InterfaceTypeExtension: 'InterfaceTypeDefinition', UnionTypeExtension: 'UnionTypeDefinition',
  EnumTypeExtension: 'EnumTypeDefinition', InputObjectTypeExtension: 'InputObjectTypeDefinition', ScalarTypeExtension: 'ScalarTypeDefinition',
}

/** Throws GraphQLError, whose message says what is wrong and where. */
export async function readGraphQl(text: string): Promise<{ graphql: GraphQL; schema: GraphQLSchema }> {
  const graphql = await import('graphql')
  const { definitions, ...document } = graphql.parse(text, { maxTokens: mostTokens, noLocation: false })
  // Directives of frameworks and gateways are not declared in the file; that is no fault of it.
  return { graphql, schema: graphql.buildASTSchema({ ...document, definitions: withBases(definitions) }, { assumeValidSDL: true }) }
}

/** A part of a federated graph extends types that are defined elsewhere: for the reader it defines them. */
function withBases(definitions: readonly DefinitionNode[]): DefinitionNode[] {
  const defined = new Set(definitions.flatMap((node) => (Object.values(baseKinds).includes(node.kind) && 'name' in node && node.name ? [node.name.value] : [])))
  return definitions.map((node) => {
    const base = baseKinds[node.kind]
    if (base === undefined || !('name' in node) || !node.name || defined.has(node.name.value)) return node
    defined.add(node.name.value)
    return { ...node, kind: base } as DefinitionNode
  })
}
