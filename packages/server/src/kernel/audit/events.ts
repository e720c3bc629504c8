/** Remarks on resources, for `describe`: what a controller did or could not do. Repeats are counted. */
import type { Resource } from '@pavior/contract'
import type { Database, Tx } from '../db/index.ts'
import type { ResourceEvent } from '../resources/index.ts'

export interface EventFilter {
  kind?: string
  name?: string
  uid?: string
  limit?: number
}

export interface EventRecorder {
  /** With `tx` it commits with what it remarks on. */
  record(resource: Resource, type: 'Normal' | 'Warning', reason: string, message: string, source: string, tx?: Tx): Promise<void>
  list(namespaces: string[] | undefined, filter: EventFilter): Promise<ResourceEvent[]>
  /** Forgets remarks older than this. */
  prune(keepMs: number): Promise<void>
}

const defaultLimit = 500

export function createEventRecorder(database: Database): EventRecorder {
  return {
    record: async ({ kind, metadata }, type, reason, message, source, tx = database) => {
      await tx.query(
        `insert into resource_events (namespace, kind, name, uid, type, reason, message, source) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (uid, reason, message) do update set count = resource_events.count + 1, last_seen = now()`,
        [metadata.namespace ?? '', kind, metadata.name, metadata.uid, type, reason, message.slice(0, 1024), source],
        'record-event',
      )
    },
    list: async (namespaces, { kind, name, uid, limit }) => {
      const { rows } = await database.query(
        `select * from resource_events where ($1::text[] is null or namespace = any($1)) and ($2::text is null or kind = $2)
           and ($3::text is null or name = $3) and ($4::uuid is null or uid = $4::uuid) order by last_seen desc limit $5`,
        [namespaces ?? null, kind ?? null, name ?? null, uid ?? null, limit ?? defaultLimit],
        'list-events',
      )
      return rows.map((row) => ({
        namespace: row.namespace,
        involved: { kind: row.kind, name: row.name, uid: row.uid },
        type: row.type,
        reason: row.reason,
        message: row.message,
        source: row.source,
        count: row.count,
        firstSeen: row.first_seen.toISOString(),
        lastSeen: row.last_seen.toISOString(),
      }))
    },
    prune: async (keepMs) => {
      await database.query('delete from resource_events where last_seen < now() - make_interval(secs => $1)', [keepMs / 1000])
    },
  }
}
