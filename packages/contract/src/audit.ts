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
  uid: string
  /** The version that the write made. */
  resourceVersion: string
  requestId?: string
}

export interface AuditPage {
  /** Newest first. */
  items: AuditRow[]
  /** To go on with older rows; absent on the last page. */
  continue?: string
}
