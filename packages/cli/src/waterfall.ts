/** A trace as text: its spans in a tree, each with a bar where it lay in time. Pure. */
import { spansInTree, type Span } from '@pavior/contract'

const barWidth = 40
const nameWidth = 46

export interface WaterfallLine {
  name: string
  duration: string
  bar: string
  failed: boolean
}

export function waterfall(spans: readonly Span[]): WaterfallLine[] {
  const from = Math.min(...spans.map(({ atMs }) => atMs))
  const whole = Math.max(...spans.map(({ atMs, durationMs }) => atMs + durationMs)) - from
  return spansInTree(spans).map(({ span, depth }) => {
    const text = `${'  '.repeat(Math.min(depth, 12))}${span.name} (${span.app})`
    return { name: (text.length > nameWidth ? `${text.slice(0, nameWidth - 1)}…` : text).padEnd(nameWidth), duration: durationText(span.durationMs), bar: barOf(span.atMs - from, span.durationMs, whole), failed: span.failed }
  })
}

function barOf(beginMs: number, durationMs: number, wholeMs: number): string {
  if (wholeMs <= 0) return '█'.repeat(barWidth)
  const begin = Math.min(barWidth - 1, Math.floor((beginMs / wholeMs) * barWidth))
  const length = Math.max(1, Math.min(barWidth - begin, Math.round((durationMs / wholeMs) * barWidth)))
  return '·'.repeat(begin) + '█'.repeat(length) + '·'.repeat(barWidth - begin - length)
}

export function durationText(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}
