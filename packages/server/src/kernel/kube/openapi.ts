/** OpenAPI v2 and v3 of all kinds, from their schemas: what `kubectl explain`, client-side validation and code generators read. */
import { createHash } from 'node:crypto'
import type { KindRegistry } from '../kind.ts'
import { documentV2, documentV3 } from './openapi-documents.ts'
import { encodeOpenApiV2 } from './openapi-protobuf.ts'

export const protobufTypeV2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

const groupPath = 'apis/pavior.dev/v1'

export interface OpenApi {
  v2Json(): string
  v2Protobuf(): Buffer
  v3Index(): string
  /** By the path of the group version, for example `apis/pavior.dev/v1`. */
  v3Document(path: string): string | undefined
}

/** Every document is made at its first use and kept. */
export function createOpenApi(kinds: KindRegistry, version: string): OpenApi {
  const v2 = once(() => documentV2(kinds, version))
  const v2Json = once(() => JSON.stringify(v2()))
  const v2Protobuf = once(() => encodeOpenApiV2(v2()))
  const v3 = once(() => JSON.stringify(documentV3(kinds, version)))
  const v3Index = once(() => {
    const hash = createHash('sha256').update(v3()).digest('hex').slice(0, 32).toUpperCase()
    return JSON.stringify({ paths: { [groupPath]: { serverRelativeURL: `/openapi/v3/${groupPath}?hash=${hash}` } } })
  })
  return { v2Json, v2Protobuf, v3Index, v3Document: (path) => (path === groupPath ? v3() : undefined) }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
