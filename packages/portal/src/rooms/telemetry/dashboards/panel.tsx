/** One panel: its heading, what it shows, and what can be done with it. */
import { ActionIcon, Menu, Text, Tooltip } from '@mantine/core'
import { IconChartLine, IconDots, IconFileTypeCsv, IconInfoCircle, IconMaximize, IconPencil } from '@tabler/icons-react'
import { sizeOf, type FigureAnswer, type Panel } from '@pavior/contract'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState, type CSSProperties, type ReactNode } from 'react'
import { download } from '../../../pieces/download.ts'
import { Markdown } from '../../../pieces/markdown.tsx'
import { csvOf, type Marker } from '../../../pieces/time-series.tsx'
import { usePanelAnswer, type PanelAnswer, type PanelPlace } from './answer.ts'
import { BarBody, ChartBody, Faults, FigureBody, StatBody, TableBody } from './panel-bodies.tsx'
import { ListBody } from './panel-list.tsx'
import classes from './dashboards.module.css'

/** Panels are asked for a little before they come into sight. */
const nearPixels = '200px'
const rowPixels = 40
const gapPixels = 8

export interface PanelProps {
  panel: Panel
  place: PanelPlace
  markers: Marker[]
  figure: FigureAnswer | undefined
  /** Alone on the page. */
  alone?: boolean
  view?: () => void
  edit?: (() => void) | undefined
  /** While the dashboard is edited: what moves and sizes it. */
  handles?: ReactNode
}

export function PanelView({ panel, place, markers, figure, alone = false, view, edit, handles }: PanelProps) {
  const { host, inSight } = useInSight()
  const answer = usePanelAnswer(panel, place, inSight)
  const { width, height } = sizeOf(panel)
  const style = { '--width': width, '--height': height, '--pixels': `${height * rowPixels + (height - 1) * gapPixels}px` } as CSSProperties
  return (
    <section ref={host} className={classes.panel} style={style} data-kind={panel.kind} data-alone={alone} data-title={panel.title} aria-label={panel.title} aria-busy={answer.pending}>
      <header className={classes.head}>
        <h2 className={classes.title} title={panel.title}>{panel.title}</h2>
        {panel.description && (
          <Tooltip label={panel.description} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
            <ActionIcon variant="transparent" color="gray" size="xs" aria-label={`What ${panel.title} says`}>
              <IconInfoCircle size={14} />
            </ActionIcon>
          </Tooltip>
        )}
        <span className={classes.room} />
        {handles}
        <PanelMenu panel={panel} place={place} answer={answer} alone={alone} view={view} edit={edit} />
      </header>
      <div className={classes.body}>
        <Body panel={panel} place={place} answer={answer} markers={markers} figure={figure} inSight={inSight} />
      </div>
    </section>
  )
}

function Body({ panel, place, answer, markers, figure, inSight }: Pick<PanelProps, 'panel' | 'place' | 'markers' | 'figure'> & { answer: PanelAnswer; inSight: boolean }) {
  if (panel.kind === 'text') return <div className={classes.text}><Markdown text={panel.text ?? ''} /></div>
  if (panel.kind === 'list') return panel.list ? <ListBody panel={panel} place={place} inSight={inSight} /> : null
  if (panel.figure) return <FigureBody panel={panel} figure={figure} />
  if (answer.rows.length === 0) return answer.pending ? <div className={classes.waiting} /> : <Nothing panel={panel} answer={answer} />
  const Shown = { stat: StatBody, bar: BarBody, table: TableBody }[panel.kind as 'stat']
  return (
    <>
      <Faults answer={answer} />
      {answer.found > answer.rows.length && <Text size="xs" c="dimmed">The {answer.rows.length} with the most of {answer.found} series.</Text>}
      <div className={classes.figure}>{Shown ? <Shown panel={panel} answer={answer} /> : <ChartBody panel={panel} answer={answer} markers={markers} zoom={place.time.zoom} />}</div>
    </>
  )
}

function Nothing({ panel, answer }: { panel: Panel; answer: PanelAnswer }) {
  if (answer.faults.length > 0) return <Faults answer={answer} />
  return <Text size="sm" c="dimmed">{(panel.queries ?? []).length === 0 ? 'There is no query yet.' : 'Nothing in this time.'}</Text>
}

function PanelMenu({ panel, place, answer, alone, view, edit }: Pick<PanelProps, 'panel' | 'place' | 'view' | 'edit'> & { answer: PanelAnswer; alone: boolean }) {
  const { asked, rows, times } = answer
  const { fixed } = place.time
  const time = fixed ? { from: fixed.from, until: fixed.until } : {}
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`More of ${panel.title}`}>
          <IconDots size={14} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {view && (
          <Menu.Item leftSection={<IconMaximize size={14} />} onClick={view}>
            {alone ? 'Back to all panels' : 'See it alone'}
          </Menu.Item>
        )}
        {edit && (
          <Menu.Item leftSection={<IconPencil size={14} />} onClick={edit}>
            Change it
          </Menu.Item>
        )}
        {rows.some(({ values }) => values.length > 1) && (
          <Menu.Item leftSection={<IconFileTypeCsv size={14} />} onClick={() => download(`${fileName(panel.title)}.csv`, csvOf(times, rows), 'text/csv')}>
            Save as CSV
          </Menu.Item>
        )}
        {asked.map((query, index) => (
          <Menu.Item key={`${index} ${query}`} leftSection={<IconChartLine size={14} />} renderRoot={(props) => <Link to="/explore/metrics" search={{ q: query, team: place.team, ...time } as never} {...props} />}>
            Explore {asked.length === 1 ? 'its query' : `query ${index + 1}`}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function fileName(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

/** Whether it is on the screen, or nearly. */
function useInSight(): { host: React.RefObject<HTMLElement | null>; inSight: boolean } {
  const host = useRef<HTMLElement>(null)
  const [inSight, setInSight] = useState(false)
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setInSight(entries.at(-1)!.isIntersecting), { rootMargin: nearPixels })
    observer.observe(host.current!)
    return () => observer.disconnect()
  }, [])
  return { host, inSight }
}
