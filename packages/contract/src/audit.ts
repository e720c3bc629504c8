/** Who changed what, as the API gives it. */

export interface AuditRow {
  /** Rises with time; to follow from. */
  id: string
  /** ISO 8601. */
  time: string
  actor: string
  /** Prefix of the token that was used. */
  token?: string
  verb: string
  kind: string
  /** Absent for cluster kinds. */
  team?: string
  name: string
  /** Absent for what is no change of a resource: a denied attempt, a secret that was read. */
  uid?: string
  /** The version that the write made. */
  resourceVersion: string
  requestId?: string
  /** Network address that the request came from. */
  address?: string
  /** Why, in the words of who did it; why not, for a denied attempt. */
  reason?: string
  /** sha256 of the object as it was before and after, in hex; known a moment after the change. */
  before?: string
  after?: string
}

export interface AuditPage {
  /** Newest first. */
  items: AuditRow[]
  /** To go on with older rows; absent on the last page. */
  continue?: string
}

/** The newest link of the chain. Kept elsewhere, it proves later that nothing up to it was changed or left out. */
export interface AuditHead {
  resourceVersion: string
  /** sha256, in hex. */
  hash: string
  /** Rows that are not in the chain yet: those of the last second. */
  pending: number
}

export interface AuditProblem {
  type: 'changed' | 'missing' | 'inserted' | 'removed' | 'seal' | 'head' | 'resource'
  /** A sentence: what does not fit and where. */
  text: string
  resourceVersion?: string
}

/** What a look over the whole audit found. */
export interface AuditVerification {
  intact: boolean
  /** Rows whose hash was computed anew. */
  rows: number
  /** Signed heads that were checked. */
  seals: number
  /** Resources that were compared with the digest of their last change. */
  resources: number
  head?: Omit<AuditHead, 'pending'>
  /** The first ones; `more` tells how many there are beyond. */
  problems: AuditProblem[]
  more: number
}
