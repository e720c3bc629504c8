/** The one way in which resources are read and written: by the API, by rooms and by reconcilers alike. */
import type { ObjectMeta, Resource } from '@pavior/contract'
import type { Actor } from '../actor.ts'
import type { Tx } from '../db/index.ts'

export interface ResourceKey {
  /** CamelCase kind. */
  kind: string
  /** Team; empty for cluster kinds. */
  namespace: string
  name: string
}

/** What a creator gives: the rest of the metadata is the platform's. */
export type NewResource<Spec = any, Status = any> = {
  apiVersion?: string
  kind?: string
  metadata: Partial<ObjectMeta> & ({ name: string } | { generateName: string })
  spec: Spec
  status?: Status
}

export interface WriteOptions {
  /** Validate, default and answer as if, but persist nothing. */
  dryRun?: boolean
  /** Name of the field manager for `managedFields`. */
  fieldManager?: string
  /** What to do with unknown fields. Default `Strict`. Warnings are collected in `warnings`. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  /** Filled with sentences for the `Warning` header. */
  warnings?: string[]
  /** Take part in this transaction; the acknowledgement then comes with the transaction. */
  tx?: Tx
}

export interface MutateOptions extends WriteOptions {
  /** `status`: only the status is taken from the result, otherwise everything but the status. */
  subresource?: 'status'
  verb?: 'update' | 'patch'
  /** How often to read again and repeat `change` after a conflict. 0 when the caller pins the resourceVersion. Default 5. */
  retries?: number
  /** Create the resource when `change` is called with undefined and returns one. */
  upsert?: boolean
}

export interface DeleteOptions extends WriteOptions {
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  preconditions?: { uid?: string; resourceVersion?: string }
}

export interface LabelRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values: string[]
}

export interface FieldRequirement {
  path: string
  operator: '=' | '!='
  value: string
}

export interface Selection {
  labels?: LabelRequirement[]
  fields?: FieldRequirement[]
}

export interface ListOptions extends Selection {
  limit?: number
  /** Opaque, from the last page. Refused with EXPIRED when it is too old or not ours. */
  continue?: string
  /** Say with the first page how many there are behind it. Costs more than the page where there are many; not for selections. */
  count?: boolean
}

export interface ListResult<R = Resource> {
  items: R[]
  /** Version to watch from. */
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
}

export interface WatchOptions extends Selection {
  /** Everything after this version, gap-free; EXPIRED when it is older than what is kept. Undefined or '0': begin with ADDED for all that is there. */
  resourceVersion?: string
  signal: AbortSignal
}

export type Change =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; resourceVersion: string; object: Resource }
  /** The state up to this version has been delivered; sent after the initial list and at quiet times. */
  | { type: 'BOOKMARK'; resourceVersion: string }

export interface Resources {
  get<R = Resource>(actor: Actor, key: ResourceKey, tx?: Tx): Promise<R | undefined>
  /** Like get, but throws NOT_FOUND. */
  mustGet<R = Resource>(actor: Actor, key: ResourceKey, tx?: Tx): Promise<R>
  /** `namespace` undefined lists over all teams that the actor may read. */
  list<R = Resource>(actor: Actor, kind: string, namespace: string | undefined, options?: ListOptions, tx?: Tx): Promise<ListResult<R>>
  /** Page after page until the end. `namespace` as for list; without `limit` and `continue`, which are its own. */
  listAll<R = Resource>(actor: Actor, kind: string, namespace?: string, selection?: Selection): Promise<R[]>
  create<R = Resource>(actor: Actor, kind: string, namespace: string, resource: NewResource, options?: WriteOptions): Promise<R>
  /**
   * Reads, lets `change` make the next state, validates and writes; repeats on conflict. When the result carries another
   * `metadata.resourceVersion` than the one read, that is a CONFLICT. Returning the same state writes nothing.
   */
  mutate<R = Resource>(
    actor: Actor,
    key: ResourceKey,
    change: (current: R | undefined) => NewResource | Promise<NewResource>,
    options?: MutateOptions,
  ): Promise<R>
  /** Returns the resource as it was, or as it is now when finalizers or a foreground deletion hold it. */
  delete<R = Resource>(actor: Actor, key: ResourceKey, options?: DeleteOptions): Promise<R>
  watch(actor: Actor, kind: string, namespace: string | undefined, options: WatchOptions): AsyncIterable<Change>
}

/** A remark on a resource, shown by `describe`. Repeats are counted, not stored again. */
export interface ResourceEvent {
  namespace: string
  involved: { kind: string; name: string; uid: string }
  type: 'Normal' | 'Warning'
  /** One CamelCase word. */
  reason: string
  message: string
  source: string
  count: number
  firstSeen: string
  lastSeen: string
}
