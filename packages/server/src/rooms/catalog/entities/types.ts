/** Entities as Backstage's catalogue has them (backstage.io/docs/features/software-catalog/descriptor-format). */

export interface Entity {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    title?: string
    description?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    tags?: string[]
    links?: { url: string; title?: string; icon?: string; type?: string }[]
  }
  spec?: Record<string, unknown>
}

/** Who says it. What runs says what is; files say what somebody declared. */
export type Origin = 'derived' | 'repository' | 'import'

export interface Layer {
  origin: Origin
  /** The resource, app or file that says so. */
  location: string
  entity: Entity
}

/** `kind:namespace/name` in lower case, as Backstage compares references. */
export type EntityRef = string

export interface Relation {
  type: string
  target: EntityRef
}

/** A place where what somebody declared and what is observed differ. */
export interface Drift {
  /** Path in the entity: spec.owner. */
  field: string
  declared: unknown
  observed: unknown
}

/** What all layers of one entity come to. */
export interface MergedEntity {
  ref: EntityRef
  entity: Entity
  origins: Origin[]
  relations: Relation[]
  drift: Drift[]
}
