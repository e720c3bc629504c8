import type { CatalogDrift, CatalogEntity, CatalogOrigin } from '@pavior/contract'

export interface Layer {
  origin: CatalogOrigin
  /** The resource, app or file that says so. */
  location: string
  entity: CatalogEntity
}

/** `kind:namespace/name` in lower case, as Backstage compares references. */
export type EntityRef = string

export interface Relation {
  type: string
  target: EntityRef
}

/** What all layers of one entity come to. */
export interface MergedEntity {
  ref: EntityRef
  entity: CatalogEntity
  origins: CatalogOrigin[]
  relations: (Relation & { origins: CatalogOrigin[] })[]
  drift: CatalogDrift[]
}
