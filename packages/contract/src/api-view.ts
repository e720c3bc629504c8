/** An API as people read it: one small form for OpenAPI, AsyncAPI and GraphQL, so that one page draws all three. */

/** A schema as it is shown; names of others instead of their contents, so that what names itself ends. */
export interface ApiSchema {
  /** string, object, array, string or null, one of, all of, enum …; empty when nothing is said. */
  type: string
  /** Name of an entry of `schemas`; the rest is said there. */
  ref?: string
  description?: string
  deprecated?: boolean
  /** What else is said of the value: `email`, `at most 40 characters`, `default 3`. */
  notes?: string[]
  /** Values that it may have, as text. */
  values?: string[]
  properties?: ApiProperty[]
  /** Of each item of a list. */
  items?: ApiSchema
  /** Of each value of a map with free keys. */
  entries?: ApiSchema
  /** What `one of`, `any of` and `all of` are made of. */
  parts?: ApiSchema[]
}

export interface ApiProperty {
  name: string
  required: boolean
  schema: ApiSchema
  /** Of a field of GraphQL. */
  parameters?: ApiParameter[]
}

export interface ApiParameter {
  name: string
  /** path, query, header, cookie, argument. */
  place: string
  required: boolean
  description?: string
  schema: ApiSchema
}

/** A body, an answer or a message. */
export interface ApiContent {
  /** Request body, Answer 200, Message OrderPlaced, Result. */
  label: string
  description?: string
  /** A schema for each media type; empty when there is no content. */
  forms: { media: string; schema: ApiSchema }[]
}

export interface ApiOperation {
  /** Stays the same as long as verb and name do: part of links. */
  id: string
  /** GET, sends, receives, query … */
  verb: string
  /** Path, address of the channel, name of the field. */
  name: string
  title?: string
  description?: string
  deprecated?: boolean
  parameters: ApiParameter[]
  contents: ApiContent[]
}

export interface ApiGroup {
  name: string
  description?: string
  operations: ApiOperation[]
}

export interface ApiView {
  format: 'openapi' | 'asyncapi' | 'graphql'
  /** Of the format: 3.1.0; empty for GraphQL, which has none. */
  formatVersion: string
  title: string
  /** Of the API, as it says itself. */
  version?: string
  description?: string
  servers: { url: string; description?: string }[]
  groups: ApiGroup[]
  schemas: { name: string; schema: ApiSchema }[]
  /** True when the definition is larger than what is shown. */
  truncated: boolean
}
