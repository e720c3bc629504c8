/** One chart over time: lines, deploy markers, a brush that zooms, values under the cursor, export. */
import 'uplot/dist/uPlot.min.css'
import { ActionIcon, Group, Menu, Text, useComputedColorScheme } from '@mantine/core'
import { IconDots, IconFileTypeCsv, IconPhoto } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type uPlot from 'uplot'
import { download } from './download.ts'
import { scaleText } from './number-text.ts'
import { createPlot, pictureOf, strokeOf, type Limit, type Line, type Marker } from './time-series-plot.ts'
import classes from './time-series.module.css'

export type { Limit, Line, Marker } from './time-series-plot.ts'

export interface TimeSeriesProps {
  title: string
  /** Seconds since the epoch, rising. */
  times: number[]
  lines: Line[]
  /** Behind every number: '/s', 'ms', '%', 'bytes'. */
  unit: string
  markers?: Marker[]
  limits?: Limit[]
  /** Pixels; 'fill' for as high as its place is. */
  height?: number | 'fill'
  /** What is around it has the title already, and its own menu. */
  untitled?: boolean
  /** Charts of one name share their cursor. */
  sync?: string
  /** Seconds since the epoch of the part that was brushed over. */
  onZoom?: (from: number, until: number) => void
}

const defaultHeight = 180

export function TimeSeries(props: TimeSeriesProps) {
  const { title, times, lines, unit } = props
  const scheme = useComputedColorScheme('light')
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [cursor, setCursor] = useState<number | null>(null)
  const { host, plot } = usePlot(props, scheme, hidden, setCursor)
  const at = cursor ?? lastMeasured(lines)
  const toggle = (label: string): void => setHidden((before) => (before.has(label) ? new Set([...before].filter((each) => each !== label)) : new Set([...before, label])))
  return (
    <figure className={classes.figure} data-fill={props.height === 'fill'} aria-label={title}>
      <Group justify="space-between" wrap="nowrap" gap="xs" align="start">
        <Group gap="xs" className={classes.legend}>
          {!props.untitled && (
            <Text component="figcaption" size="sm" fw={600}>
              {title}
            </Text>
          )}
          {lines.map((line, index) => (
            <button key={line.label} type="button" className={classes.key} aria-pressed={!hidden.has(line.label)} onClick={() => toggle(line.label)} title={`Show or hide ${line.label}`}>
              <span className={classes.swatch} style={{ background: strokeOf(line, index, scheme) }} />
              {line.label} <b>{scaleText(line.values[at], unit)}</b>
            </button>
          ))}
        </Group>
        {!props.untitled && <Export title={title} times={times} lines={lines} picture={() => (plot.current ? pictureOf(plot.current, title, scheme) : Promise.resolve(null))} />}
      </Group>
      <div ref={host} className={classes.plot} {...(props.height === 'fill' ? {} : { style: { height: props.height ?? defaultHeight } })} />
    </figure>
  )
}

/** Made anew when the lines or the colours change; new values are only put in. */
function usePlot(props: TimeSeriesProps, scheme: 'light' | 'dark', hidden: ReadonlySet<string>, setCursor: (index: number | null) => void) {
  const { times, lines, unit, sync, height = defaultHeight } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(props)
  latest.current = props
  const shape = lines.map(({ label, colour, fill }) => `${label} ${colour} ${fill}`).join('\n')
  useEffect(() => {
    const element = host.current!
    const { lines: own, times: axis, onZoom } = latest.current
    const high = (): number => (height === 'fill' ? element.clientHeight : height)
    plot.current = createPlot(
      {
        scheme,
        lines: own,
        unit,
        width: element.clientWidth,
        height: high(),
        sync,
        markers: () => latest.current.markers ?? [],
        limits: () => latest.current.limits ?? [],
        onZoom: onZoom && ((from, until) => latest.current.onZoom?.(from, until)),
        onCursor: setCursor,
      },
      [axis, ...own.map(({ values }) => values)],
      element,
    )
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: high() }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [scheme, shape, unit, sync, height, setCursor])
  useEffect(() => plot.current?.setData([times, ...lines.map(({ values }) => values)]), [times, lines])
  useEffect(() => {
    for (const [index, { label }] of latest.current.lines.entries()) plot.current?.setSeries(index + 1, { show: !hidden.has(label) })
  }, [hidden, shape])
  useEffect(() => plot.current?.redraw(false), [props.markers, props.limits])
  return { host, plot }
}

function lastMeasured(lines: Line[]): number {
  return Math.max(0, ...lines.map(({ values }) => values.findLastIndex((value) => value !== null)))
}

function Export({ title, times, lines, picture }: Pick<TimeSeriesProps, 'title' | 'times' | 'lines'> & { picture: () => Promise<Blob | null> }) {
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  const savePicture = async (): Promise<void> => {
    const blob = await picture()
    if (blob) download(`${name}.png`, blob)
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Export ${title}`}>
          <IconDots size={14} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPhoto size={14} />} onClick={() => void savePicture()}>
          Save as PNG
        </Menu.Item>
        <Menu.Item leftSection={<IconFileTypeCsv size={14} />} onClick={() => download(`${name}.csv`, csvOf(times, lines), 'text/csv')}>
          Save as CSV
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

export function csvOf(times: number[], lines: Line[]): string {
  const head = ['time', ...lines.map(({ label }) => `"${label.replaceAll('"', '""')}"`)]
  const rows = times.map((time, index) => [new Date(time * 1000).toISOString(), ...lines.map(({ values }) => values[index] ?? '')])
  return [head, ...rows].map((row) => row.join(',')).join('\n')
}
