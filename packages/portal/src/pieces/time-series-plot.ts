/** The uPlot side of a time series: colours, axes, markers, brush. No React here. */
import './known-language.ts'
import uPlot, { type AlignedData, type Options, type Plugin, type Series } from 'uplot'
import { scaleText } from './number-text.ts'

export interface Line {
  label: string
  /** One for each time; null where nothing was measured. */
  values: (number | null)[]
  /** Filled below: for the one that matters most. */
  fill?: boolean
  /** Of the colours, 0 to 7; in the order of the lines when absent. */
  colour?: number
}

export interface Marker {
  /** Seconds since the epoch. */
  at: number
  /** What lasts, such as an incident, is shaded from `at` until then. */
  until?: number
  label: string
  tone: 'good' | 'bad'
}

/** A value from which on something is so, as a line across. */
export interface Limit {
  value: number
  tone: 'good' | 'warn' | 'bad'
}

/** Okabe and Ito: told apart with every kind of colour vision, and by their lightness too. Black becomes the text colour. */
const palette = { light: ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#B8A800', '#000000'], dark: ['#56B4E9', '#E69F00', '#009E73', '#CC79A7', '#4E9BD6', '#D55E00', '#F0E442', '#FFFFFF'] }
const dashes: (number[] | undefined)[] = [undefined, [6, 3], [2, 3]]
const paint = {
  light: { text: '#495057', grid: '#e9ecef', background: '#ffffff', good: '#087f5b', warn: '#9a5b00', bad: '#c92a2a' },
  dark: { text: '#c1c2c5', grid: '#2c2e33', background: '#1a1b1e', good: '#63e6be', warn: '#f0b429', bad: '#ff8787' },
}
export type Scheme = keyof typeof paint

const font = '11px system-ui, sans-serif'
const markerRoom = 16
const shadeAlpha = 0.1
const axisWidth = 64

/** Beyond eight lines colours repeat with another dash. */
export function strokeOf({ colour }: Pick<Line, 'colour'>, index: number, scheme: Scheme): string {
  return palette[scheme][(colour ?? index) % 8]!
}

export interface PlotRequest {
  scheme: Scheme
  lines: Line[]
  unit: string
  width: number
  height: number
  /** Charts of one name share their cursor. */
  sync: string | undefined
  markers: () => Marker[]
  limits: () => Limit[]
  onZoom: ((from: number, until: number) => void) | undefined
  /** Index of the point under the cursor; null when it leaves. */
  onCursor: (index: number | null) => void
}

export function plotOptions({ scheme, lines, unit, width, height, sync, markers, limits, onZoom, onCursor }: PlotRequest): Options {
  const { text, grid } = paint[scheme]
  const axis = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } }
  return {
    width,
    height,
    padding: [markerRoom, 8, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: onZoom !== undefined, y: false, setScale: false }, points: { size: 6 }, ...(sync === undefined ? {} : { sync: { key: sync, setSeries: false } }) },
    scales: { x: { time: true }, y: { range: (_plot, min, max) => [min < 0 ? min * 1.08 : 0, max > 0 ? max * 1.08 : min < 0 ? 0 : 1] } },
    axes: [{ ...axis, values: timeTexts }, { ...axis, size: axisWidth, values: (_plot, splits) => splits.map((value) => scaleText(value, unit)) }],
    series: [{}, ...lines.map((line, index) => seriesOf(line, index, scheme))],
    plugins: [limitPlugin(limits, scheme), markerPlugin(markers, scheme)],
    hooks: {
      setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: selected } = plot.select
          if (selected <= 0) return
          const [from, until] = [plot.posToVal(left, 'x'), plot.posToVal(left + selected, 'x')]
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          onZoom?.(from, until)
        },
      ],
    },
  }
}

function seriesOf(line: Line, index: number, scheme: Scheme): Series {
  const stroke = strokeOf(line, index, scheme)
  const dash = dashes[Math.floor(index / 8) % dashes.length]
  const points = { show: true, size: 4, fill: stroke, filter: alone }
  return { label: line.label, stroke, width: 1.5, spanGaps: false, points, ...(line.fill ? { fill: `${stroke}22` } : {}), ...(dash ? { dash } : {}) }
}

/** A value between two gaps has no line, so it needs a dot to be seen at all. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series]!
  return [...values.keys()].filter((index) => isValue(values[index]) && !isValue(values[index - 1]) && !isValue(values[index + 1]))
}

function isValue(value: number | null | undefined): boolean {
  return value !== null && value !== undefined
}

/** Smallest distance of two marks in seconds, text, null, then what is added below where the year, day or minute changes; see uPlot's axes. */
const timeTexts = [
  [31_536_000, '{YYYY}', null, null, null, null, null, null, 1],
  [2_419_200, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
]

/** A line across for each limit that the values come near to. */
function limitPlugin(limits: () => Limit[], scheme: Scheme): Plugin {
  return {
    hooks: {
      draw: ({ ctx, bbox, scales, valToPos }) => {
        const { min = 0, max = 0 } = scales.y!
        ctx.save()
        ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio])
        for (const { value, tone } of limits().filter((limit) => limit.value > min && limit.value <= max)) {
          const y = Math.round(valToPos(value, 'y', true))
          ctx.strokeStyle = paint[scheme][tone]
          ctx.beginPath()
          ctx.moveTo(bbox.left, y)
          ctx.lineTo(bbox.left + bbox.width, y)
          ctx.stroke()
        }
        ctx.restore()
      },
    },
  }
}

/** A vertical line for each deployment, with its release at the top; what lasts is shaded until its end. */
function markerPlugin(markers: () => Marker[], scheme: Scheme): Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot
        const ratio = uPlot.pxRatio
        const { min = 0, max = 0 } = plot.scales.x!
        ctx.save()
        ctx.font = `${11 * ratio}px system-ui, sans-serif`
        ctx.textAlign = 'center'
        ctx.setLineDash([3 * ratio, 3 * ratio])
        let labelEnd = -Infinity
        for (const { at, until = at, label, tone } of markers().filter((marker) => (marker.until ?? marker.at) >= min && marker.at <= max)) {
          const x = Math.round(plot.valToPos(Math.max(at, min), 'x', true))
          const end = Math.round(plot.valToPos(Math.min(until, max), 'x', true))
          ctx.globalAlpha = shadeAlpha
          ctx.fillStyle = paint[scheme][tone]
          ctx.fillRect(x, bbox.top, end - x, bbox.height)
          ctx.globalAlpha = 1
          ctx.strokeStyle = ctx.fillStyle = paint[scheme][tone]
          ctx.beginPath()
          ctx.moveTo(x, bbox.top)
          ctx.lineTo(x, bbox.top + bbox.height)
          ctx.stroke()
          const half = ctx.measureText(label).width / 2
          const middle = Math.min(bbox.left + bbox.width - half, Math.max(bbox.left + half, x))
          // Labels that would lie on each other are left out; the line stays.
          if (middle - half < labelEnd) continue
          ctx.fillText(label, middle, bbox.top - 5 * ratio)
          labelEnd = middle + half + 4 * ratio
        }
        ctx.restore()
      },
    },
  }
}

export function createPlot(request: PlotRequest, data: AlignedData, parent: HTMLElement): uPlot {
  return new uPlot(plotOptions(request), data, parent)
}

/** The picture on a ground of its own, with its title. */
export function pictureOf(plot: uPlot, title: string, scheme: Scheme): Promise<Blob | null> {
  const drawn = plot.ctx.canvas
  const ratio = uPlot.pxRatio
  const head = 28 * ratio
  const canvas = document.createElement('canvas')
  canvas.width = drawn.width
  canvas.height = drawn.height + head
  const context = canvas.getContext('2d')!
  context.fillStyle = paint[scheme].background
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = paint[scheme].text
  context.font = `600 ${13 * ratio}px system-ui, sans-serif`
  context.fillText(title, 8 * ratio, 18 * ratio)
  context.drawImage(drawn, 0, head)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
}
