/** A log as one reads it: newest below, following until one scrolls up, searchable, with levels told apart by a mark and a colour. */
import { ActionIcon, Button, Group, Select, Text, TextInput, Tooltip } from '@mantine/core'
import { IconArrowDown, IconClearAll, IconDownload, IconSearch, IconTextWrap } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react'
import { CopyButton } from './copy-button.tsx'
import { download } from './download.ts'
import { logLevels, type LogLevel } from '@pavior/contract'
import type { LogSnapshot, ShownLine } from './log-lines.ts'
import classes from './log-view.module.css'

const rowHeight = 20
/** So near to the end counts as at the end. */
const endTolerance = 24
const overscan = 20
/** Copying more than this is for a file. */
const mostCopied = 2000

export interface LogViewProps {
  log: LogSnapshot & { clear?: () => void }
  /** Of the file that is downloaded. */
  name: string
  /** In the address, so that a link shows the same. */
  search: string
  onSearch: (search: string) => void
  level: LogLevel | undefined
  onLevel: (level: LogLevel | undefined) => void
  /** Which instance wrote a line; needless where there is one. */
  origins?: boolean
  /** What every name of an origin begins with, and so need not be shown. */
  originPrefix?: string
  /** Further filters before the search. */
  children?: ReactNode
  empty: ReactNode
  /** CSS length. */
  height?: string
}

export function LogView({ log, name, search, onSearch, level, onLevel, origins = false, originPrefix = '', children, empty, height = 'max(240px, calc(100dvh - 300px))' }: LogViewProps) {
  const [wrap, setWrap] = useState(false)
  const shown = useMemo(() => matching(log.lines, search, level), [log.lines, search, level])
  const text = (): string => shown.map(({ time, origin, text: line }) => [time, origins ? origin : '', line].filter(Boolean).join(' ')).join('\n')
  return (
    <section aria-label={`Log of ${name}`}>
      <Group gap="xs" mb="xs">
        {children}
        <TextInput className={classes.search} size="xs" leftSection={<IconSearch size={14} />} placeholder="Search these lines" aria-label="Search these lines" value={search} onChange={({ currentTarget }) => onSearch(currentTarget.value)} />
        <Select size="xs" w={130} aria-label="Least level" placeholder="Any level" clearable data={logLevels.map((each) => ({ value: each, label: `${each} and worse` }))} value={level ?? null} onChange={(value) => onLevel((value as LogLevel | null) ?? undefined)} />
        <Group gap={4} ml="auto">
          <Tooltip label={wrap ? 'Do not wrap long lines' : 'Wrap long lines'}>
            <ActionIcon variant={wrap ? 'light' : 'subtle'} color="gray" size="sm" aria-pressed={wrap} aria-label="Wrap long lines" onClick={() => setWrap(!wrap)}>
              <IconTextWrap size={14} />
            </ActionIcon>
          </Tooltip>
          {log.clear && (
            <Tooltip label="Clear what is shown">
              <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Clear what is shown" onClick={log.clear}>
                <IconClearAll size={14} />
              </ActionIcon>
            </Tooltip>
          )}
          <CopyButton text={shown.slice(-mostCopied).map((line) => line.text).join('\n')} label="Copy the lines" />
          <Tooltip label="Download">
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Download" onClick={() => download(`${name}.log`, text())}>
              <IconDownload size={14} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Lines lines={shown} wrap={wrap} search={search} origins={origins} originPrefix={originPrefix} height={height} empty={log.loading ? 'Waiting for the first line …' : log.lines.length > 0 ? 'No line matches.' : empty} />
      <Text size="xs" c="dimmed" mt={4} role="status">
        {summary(log, shown.length)}
      </Text>
    </section>
  )
}

function summary({ lines, dropped, ended, error }: LogSnapshot, shown: number): string {
  const count = shown === lines.length ? `${lines.length} lines` : `${shown} of ${lines.length} lines`
  const older = dropped > 0 ? `, ${dropped} older ones are not shown` : ''
  if (error) return `${count}${older}. The log broke off: ${error.message ?? 'the server ended it.'}`
  return `${count}${older}${ended ? ', complete' : ', following'}`
}

function matching(lines: readonly ShownLine[], search: string, level: LogLevel | undefined): readonly ShownLine[] {
  if (search === '' && level === undefined) return lines
  const wanted = search.toLowerCase()
  const least = level === undefined ? -1 : logLevels.indexOf(level)
  return lines.filter((line) => (least < 0 || (line.level !== undefined && logLevels.indexOf(line.level) >= least)) && (wanted === '' || line.text.toLowerCase().includes(wanted)))
}

interface LinesProps {
  lines: readonly ShownLine[]
  wrap: boolean
  search: string
  origins: boolean
  originPrefix: string
  height: string
  empty: ReactNode
}

function Lines({ lines, wrap, search, origins, originPrefix, height, empty }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const { following, follow, seen } = useFollow(scroller, lines)
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan, getItemKey: (index) => lines[index]!.id })
  const items = virtual.getVirtualItems()
  useEffect(() => {
    if (following && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [following, lines, virtual, wrap])
  return (
    <div className={classes.frame}>
      <div ref={scroller} className={classes.scroller} style={{ height }} role="log" aria-live="off" aria-label="Lines" tabIndex={0} data-wrap={wrap}>
        {lines.length === 0 ? (
          <Text size="sm" c="dimmed" p="md" component="div">
            {empty}
          </Text>
        ) : (
          <div className={classes.all} style={{ height: virtual.getTotalSize() }}>
            <div style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
              {items.map(({ key, index }) => (
                <div key={key} data-index={index} ref={wrap ? virtual.measureElement : undefined} className={classes.line} data-level={lines[index]!.level}>
                  <Line line={lines[index]!} search={search} origin={origins ? shortOrigin(lines[index]!.origin, originPrefix) : undefined} />
                </div>
              ))}
            </div>
          </div>
        )}
      </div>
      {!following && (
        <Button className={classes.follow} size="compact-sm" leftSection={<IconArrowDown size={14} />} onClick={follow}>
          {lines.length - seen > 0 ? `${lines.length - seen} new lines` : 'Follow'}
        </Button>
      )}
    </div>
  )
}

/** Follows the end until the reader scrolls away from it, and again when they come back. */
function useFollow(scroller: RefObject<HTMLDivElement | null>, lines: readonly ShownLine[]): { following: boolean; follow: () => void; seen: number } {
  const [following, setFollowing] = useState(true)
  const [seen, setSeen] = useState(0)
  const count = useRef(0)
  count.current = lines.length
  useEffect(() => {
    const element = scroller.current!
    let before = element.scrollTop
    const scrolled = (): void => {
      const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < endTolerance
      const up = element.scrollTop < before - 1
      before = element.scrollTop
      if (atEnd) setFollowing(true)
      else if (up) {
        setFollowing((was) => {
          if (was) setSeen(count.current)
          return false
        })
      }
    }
    element.addEventListener('scroll', scrolled, { passive: true })
    return () => element.removeEventListener('scroll', scrolled)
  }, [scroller])
  return { following, follow: () => setFollowing(true), seen }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false })

function shortOrigin(origin: string, prefix: string): string {
  return origin.startsWith(prefix) ? origin.slice(prefix.length) : origin
}

function Line({ line, search, origin }: { line: ShownLine; search: string; origin: string | undefined }) {
  const { time, text, level } = line
  return (
    <>
      <time className={classes.time} dateTime={time} title={time}>
        {time === undefined ? '' : clock.format(new Date(time))}
      </time>
      <span className={classes.level}>{level ?? ''}</span>
      {origin !== undefined && (
        <span className={classes.origin} title={line.origin}>
          {origin}
        </span>
      )}
      <span className={classes.text}>{search === '' ? text : <Marked text={text} search={search} />}</span>
    </>
  )
}

function Marked({ text, search }: { text: string; search: string }) {
  const parts: ReactNode[] = []
  const [lower, wanted] = [text.toLowerCase(), search.toLowerCase()]
  let from = 0
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>)
    from = at + wanted.length
  }
  return [...parts, text.slice(from)]
}
