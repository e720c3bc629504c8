/** How many lines of each level there were over the time that is shown; brushing over a part of it shows that part. */
import { Group, Text } from '@mantine/core'
import type { LogHistogram } from '@pavior/contract'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useRef, useState, type PointerEvent } from 'react'
import type { AppPlace } from '../../../frame/apps.ts'
import { barsOf, totalsOf, shownLevels, type Bar } from './bars.ts'
import { histogramOf, timesOf } from './reads.ts'
import classes from './logs.module.css'

const height = 64
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' })

interface HistogramProps {
  place: AppPlace
  question: string
  lengthMs: number
  fixed: { from: string; until: string } | undefined
  /** Milliseconds since the epoch. */
  zoom: (from: number, until: number) => void
}

export function Histogram({ place, question, lengthMs, fixed, zoom }: HistogramProps) {
  const { data } = useQuery({
    queryKey: ['log-histogram', place, question, lengthMs, fixed],
    queryFn: ({ signal }) => histogramOf(place, question, timesOf(lengthMs, fixed), signal),
    placeholderData: keepPreviousData,
    // A pattern is not counted.
    retry: false,
  })
  return (
    <figure className={classes.figure} aria-label="Lines over time">
      <Group gap="md" mb={4} mih={20}>
        {data && totalsOf(data).map(({ level, lines }) => (
          <Text key={level} size="xs" component="span" className={classes.total} data-level={level}>
            {lines.toLocaleString()} {level === 'other' ? 'without a level' : level}
          </Text>
        ))}
      </Group>
      <div className={classes.bars} style={{ height }}>{data && <Bars data={data} zoom={zoom} />}</div>
    </figure>
  )
}

function Bars({ data, zoom }: { data: LogHistogram; zoom: HistogramProps['zoom'] }) {
  const { bars, most, fromMs, lengthMs } = barsOf(data)
  const { brush, handlers } = useBrush((from, until) => zoom(fromMs + from * lengthMs, fromMs + until * lengthMs))
  return (
    <svg className={classes.svg} viewBox={`0 0 1 ${height}`} preserveAspectRatio="none" role="img" aria-label={`At most ${most} lines in ${data.stepSeconds} s`} {...handlers}>
      {bars.map((bar) => (
        <BarShape key={bar.at} bar={bar} most={most} />
      ))}
      {brush && <rect x={Math.min(...brush)} width={Math.abs(brush[1] - brush[0])} y={0} height={height} className={classes.brush} />}
    </svg>
  )
}

function BarShape({ bar, most }: { bar: Bar; most: number }) {
  let below = 0
  return (
    <g>
      <title>{`${clock.format(bar.at)}: ${shownLevels.filter((level) => bar.counts[level]).map((level) => `${bar.counts[level]} ${level}`).join(', ')}`}</title>
      {shownLevels.map((level) => {
        const tall = ((bar.counts[level] ?? 0) / most) * height
        below += tall
        return tall > 0 && <rect key={level} x={bar.left} width={bar.width} y={height - below} height={tall} className={classes.bar} data-level={level} />
      })}
    </g>
  )
}

const leastBrush = 0.005

/** Shares of the width from which and to which the pointer was drawn. */
function useBrush(done: (from: number, until: number) => void) {
  const begin = useRef<number>(undefined)
  const [brush, setBrush] = useState<[number, number]>()
  const shareOf = ({ clientX, currentTarget }: PointerEvent<SVGSVGElement>): number => {
    const { left, width } = currentTarget.getBoundingClientRect()
    return Math.min(1, Math.max(0, (clientX - left) / width))
  }
  return {
    brush,
    handlers: {
      onPointerDown: (event: PointerEvent<SVGSVGElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        begin.current = shareOf(event)
      },
      onPointerMove: (event: PointerEvent<SVGSVGElement>) => {
        if (begin.current !== undefined) setBrush([begin.current, shareOf(event)])
      },
      onPointerUp: (event: PointerEvent<SVGSVGElement>) => {
        const [from, until] = [begin.current ?? 0, shareOf(event)].toSorted((one, other) => one - other) as [number, number]
        begin.current = undefined
        setBrush(undefined)
        if (until - from > leastBrush) done(from, until)
      },
    },
  }
}
