/** What comes next for an export: so many items, from where they are stored. */
import type { ExportSignal, Span, TelemetryExportSpec } from '@pavior/contract'
import type { Tx } from '../../../kernel/db/index.ts'
import { decodeBatch, type Points } from '../metrics/encoding.ts'
import type { MetricMetadata } from '../metrics/series.ts'
import { inOrder, wants } from './plan.ts'
import { joined, takePoints } from './points.ts'
import type { ExportBatch, SentLine, SentSeries } from './ports.ts'
import type { SeriesNames } from './series-names.ts'
import { nextEntries, nextPoints, type Position, type QueuedEntry } from './store.ts'
import { linesOfEntry, spansOfEntry } from './stored.ts'

/** Of texts in one request. */
const mostBytes = 1024 * 1024
const entriesAtOnce = 200
const batchesAtOnce = 8

export interface Next {
  batch: ExportBatch
  items: number
  /** Of whoever has sent it. */
  position: Position
  /** When the oldest of it was stored; undefined when there is nothing. */
  storedAt: Date | undefined
  tooOld: number
  gone: number
  /** There is nothing behind it at this moment. */
  isAll: boolean
}

export interface Wanted {
  spec: TelemetryExportSpec
  team: string
  signal: ExportSignal
  position: Position
  atMost: number
  /** What was stored before is given up. */
  oldest: Date
}

export async function readNext(tx: Tx, names: SeriesNames, wanted: Wanted): Promise<Next> {
  if (wanted.signal === 'metrics') return readPoints(tx, names, wanted)
  const lines: SentLine[] = []
  const spans: Span[] = []
  const next = await readEntries(tx, wanted, async (entry, room) => {
    if (wanted.signal === 'logs') return taken(lines, await linesOfEntry(tx, wanted.team, entry, room))
    return taken(spans, await spansOfEntry(tx, wanted.team, entry, room))
  })
  return { ...next, batch: wanted.signal === 'logs' ? { signal: 'logs', lines } : { signal: 'traces', spans } }
}

function taken<T>(all: T[], { items, ...found }: { items: T[]; bytes: number; atEnd: boolean }): { count: number; bytes: number; atEnd: boolean } {
  for (const one of items) all.push(one)
  return { count: items.length, ...found }
}

export interface Room {
  /** So many of it were sent before. */
  skip: number
  items: number
  bytes: number
}

type ReadEntry = (entry: QueuedEntry, room: Room) => Promise<{ count: number; bytes: number; atEnd: boolean }>

async function readEntries(tx: Tx, { spec, team, signal, position, atMost, oldest }: Wanted, read: ReadEntry): Promise<Omit<Next, 'batch'>> {
  const entries = await nextEntries(tx, { signal, team }, position, entriesAtOnce)
  const next = { items: 0, position, storedAt: undefined as Date | undefined, tooOld: 0, gone: 0, isAll: entries.length < entriesAtOnce }
  let bytes = 0
  for (const entry of entries) {
    const { done } = next.position
    const after = { tx: entry.tx, id: entry.id, done: 0 }
    if (!wants(spec, entry)) next.position = after
    else if (entry.storedAt < oldest) {
      next.tooOld += Math.max(0, entry.items - done)
      next.position = after
    } else {
      if (next.items >= atMost || bytes >= mostBytes) return { ...next, isAll: false }
      const found = await read(entry, { skip: done, items: atMost - next.items, bytes: mostBytes - bytes })
      if (found.count > 0) next.storedAt ??= entry.storedAt
      next.items += found.count
      bytes += found.bytes
      if (!found.atEnd) return { ...next, position: { ...next.position, done: done + found.count }, isAll: false }
      next.gone += Math.max(0, entry.items - done - found.count)
      next.position = after
    }
  }
  return next
}

/** Points count one by one, of whatever series they are, so that what was done of a batch is a number. */
async function readPoints(tx: Tx, names: SeriesNames, { spec, team, position, atMost, oldest }: Wanted): Promise<Next> {
  const stored = await nextPoints(tx, team, position, batchesAtOnce)
  const parts = new Map<number, Points[]>()
  const labels = new Map<number, Record<string, string>>()
  const next = { items: 0, position, storedAt: undefined as Date | undefined, tooOld: 0, gone: 0, isAll: stored.length < batchesAtOnce }
  let bytes = 0
  for (const { tx: batchTx, id, storedAt, data } of stored) {
    const decoded = decodeBatch(data)
    const known = await names.of(tx, team, decoded.map(([one]) => one))
    const weigh = (one: number): number | undefined => {
      const own = known.get(one)
      return own && wants(spec, { app: own.labels.app ?? '', environment: own.labels.environment ?? '' }) ? own.bytes : undefined
    }
    const isLate = storedAt < oldest
    const slice = takePoints(decoded, isLate ? { skip: next.position.done, items: Infinity, bytes: Infinity } : { skip: next.position.done, items: atMost - next.items, bytes: mostBytes - bytes }, weigh)
    if (isLate) next.tooOld += slice.count
    else {
      if (slice.count > 0) next.storedAt ??= storedAt
      next.items += slice.count
      bytes += slice.bytes
      for (const [one, points] of slice.taken) {
        labels.set(one, known.get(one)!.labels)
        parts.set(one, [...(parts.get(one) ?? []), points])
      }
    }
    if (slice.done !== undefined) {
      next.position = { ...next.position, done: slice.done }
      next.isAll = false
      break
    }
    next.position = { tx: batchTx, id, done: 0 }
  }
  const metadata = await names.metadata(tx, team)
  const series = [...parts].map(([one, own]) => inOrder({ labels: labels.get(one)!, ...describedBy(labels.get(one)!, metadata), ...joined(own) }))
  return { ...next, batch: { signal: 'metrics', series } }
}

function describedBy({ __name__: name = '' }: Record<string, string>, metadata: ReadonlyMap<string, MetricMetadata>): Pick<SentSeries, 'metadata'> {
  const found = metadata.get(name) ?? metadata.get(name.replace(/_(bucket|count|sum)$/, ''))
  return found ? { metadata: found } : {}
}
