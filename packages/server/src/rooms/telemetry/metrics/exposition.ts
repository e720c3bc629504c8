/**
 * What an endpoint of Prometheus shows, read: the text format 0.0.4 and OpenMetrics 1.0
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Pure; throws BAD_REQUEST with the line that cannot be read.
 */
import { fail } from '@pavior/contract'
import type { MetricMetadata } from './series.ts'

export interface ExposedSample {
  name: string
  labels: [string, string][]
  timeMs: number
  value: number
}

const name = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const labelStart = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"/y
const labelEnd = /\s*(,)?/y
const types = new Set(['counter', 'gauge', 'histogram', 'summary'])

/** `nowMs`: time of samples that carry none. */
export function parseExposition(text: string, nowMs: number): { samples: ExposedSample[]; metadata: Map<string, MetricMetadata> } {
  const samples: ExposedSample[] = []
  const metadata = new Map<string, MetricMetadata>()
  const openMetrics = /(^|\n)# EOF\s*$/.test(text.slice(-100))
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '') continue
    if (trimmed.startsWith('#')) {
      describe(metadata, trimmed)
      continue
    }
    const sample = sampleOf(trimmed, nowMs, openMetrics ? 1000 : 1)
    if (!sample) throw fail('BAD_REQUEST', { message: `Line ${index + 1} is no sample: ${trimmed.slice(0, 80)}` })
    samples.push(sample)
  }
  return { samples, metadata }
}

function describe(metadata: Map<string, MetricMetadata>, line: string): void {
  const [, what, family, rest = ''] = /^#\s*(HELP|TYPE|UNIT)\s+(\S+)\s*(.*)$/.exec(line) ?? []
  if (!what || !family) return
  const known = metadata.get(family) ?? { type: 'unknown', help: '', unit: '' }
  if (what === 'HELP') metadata.set(family, { ...known, help: rest.slice(0, 500) })
  else if (what === 'UNIT') metadata.set(family, { ...known, unit: rest.slice(0, 50) })
  else {
    metadata.set(family, { ...known, type: types.has(rest) ? (rest as MetricMetadata['type']) : 'unknown' })
    // In OpenMetrics the family of a counter is without what its samples end in.
    if (rest === 'counter' && !family.endsWith('_total')) metadata.set(`${family}_total`, { ...known, type: 'counter' })
  }
}

function sampleOf(line: string, nowMs: number, timeUnitMs: number): ExposedSample | undefined {
  name.lastIndex = 0
  const found = name.exec(line)
  if (!found) return undefined
  let at = name.lastIndex
  const labels: [string, string][] = []
  if (line[at] === '{') {
    const end = readLabels(line, at + 1, labels)
    if (end === undefined) return undefined
    at = end
  }
  // Behind # stands an example, which is not kept.
  const [valueText = '', timeText, more] = line.slice(at).split('#', 1)[0]!.trim().split(/\s+/)
  const value = valueOf(valueText)
  const time = timeText === undefined ? nowMs : Math.round(Number(timeText) * timeUnitMs)
  return value === undefined || Number.isNaN(time) || more !== undefined ? undefined : { name: found[0], labels, timeMs: time, value }
}

/** Where the rest of the line begins; undefined when the labels cannot be read. */
function readLabels(line: string, begin: number, labels: [string, string][]): number | undefined {
  let at = begin
  for (;;) {
    labelStart.lastIndex = at
    const label = labelStart.exec(line)
    if (!label) {
      const end = /\s*\}/y
      end.lastIndex = at
      return end.test(line) ? end.lastIndex : undefined
    }
    let value = ''
    at = labelStart.lastIndex
    for (; line[at] !== '"'; at++) {
      if (at >= line.length) return undefined
      if (line[at] !== '\\') value += line[at]
      else value += line[++at] === 'n' ? '\n' : (line[at] ?? '')
    }
    labels.push([label[1]!, value])
    labelEnd.lastIndex = at + 1
    labelEnd.exec(line)
    at = labelEnd.lastIndex
  }
}

function valueOf(text: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return NaN
  const value = text === '' ? NaN : Number(text)
  return Number.isNaN(value) ? undefined : value
}
