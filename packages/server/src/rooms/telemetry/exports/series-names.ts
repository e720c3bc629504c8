/** Labels of series by their ids, as far as somebody exports them. */
import type { Tx } from '../../../kernel/db/index.ts'
import type { MetricMetadata } from '../metrics/series.ts'
import { readMetadata } from '../metrics/store.ts'

const remembered = 50_000
const metadataMs = 30_000

export interface NamedSeries {
  labels: Record<string, string>
  bytes: number
}

export interface SeriesNames {
  /** Those of the team. */
  of(tx: Tx, team: string, ids: readonly number[]): Promise<Map<number, NamedSeries>>
  metadata(tx: Tx, team: string): Promise<ReadonlyMap<string, MetricMetadata>>
}

export function createSeriesNames(nowMs: () => number): SeriesNames {
  const known = new Map<number, { team: string; series: NamedSeries }>()
  const metadata = new Map<string, { readAtMs: number; found: Promise<ReadonlyMap<string, MetricMetadata>> }>()
  return {
    of: async (tx, team, ids) => {
      if (known.size + ids.length > remembered) known.clear()
      const asked = ids.filter((id) => !known.has(id))
      if (asked.length > 0) {
        const { rows } = await tx.query<{ id: string; team: string; labels: Record<string, string> }>('select id, team, labels from metric_series where id = any($1)', [asked], 'exported-series')
        for (const { id, team: owner, labels } of rows) known.set(Number(id), { team: owner, series: { labels, bytes: JSON.stringify(labels).length } })
      }
      return new Map(ids.flatMap((id) => {
        const one = known.get(id)
        return one?.team === team ? [[id, one.series] as const] : []
      }))
    },
    metadata: (tx, team) => {
      const before = metadata.get(team)
      if (before && nowMs() - before.readAtMs < metadataMs) return before.found
      const found = readMetadata(tx, [team])
      found.catch(() => metadata.delete(team))
      metadata.set(team, { readAtMs: nowMs(), found })
      return found
    },
  }
}
