/** Four weeks, a line of turns each: who is on call in the end, and what every layer says by itself. */
import { Switch, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useSearchParam } from '../../frame/search-params.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { placed, weekStart } from './calendar-plan.ts'
import { shiftsQuery, type Schedule, type Shift } from './reads.ts'
import classes from './on-call-calendar.module.css'

const weeks = 4
const weekDays = 7
const colours = 6
const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export function OnCallCalendar({ schedule }: { schedule: Schedule }) {
  const [layers, setLayers] = useSearchParam('layers')
  const from = useMemo(() => weekStart(new Date()), [])
  const shown = layers === 'shown' ? schedule.spec.layers.map(({ name }) => name) : []
  const users = useMemo(() => [...new Set([...schedule.spec.layers.flatMap((layer) => layer.users), ...(schedule.spec.overrides ?? []).map(({ user }) => user)])], [schedule])
  return (
    <div>
      <Switch size="xs" mb="sm" label="Every layer by itself" checked={layers === 'shown'} onChange={({ currentTarget }) => setLayers(currentTarget.checked ? 'shown' : undefined)} />
      {Array.from({ length: weeks }, (_, index) => (
        <Week key={index} schedule={schedule} index={index} from={from} layers={shown} users={users} />
      ))}
    </div>
  )
}

interface WeekProps {
  schedule: Schedule
  index: number
  from: Date
  layers: string[]
  users: string[]
}

function Week({ schedule, index, from, layers, users }: WeekProps) {
  const days = Array.from({ length: weekDays }, (_, offset) => new Date(from.getFullYear(), from.getMonth(), from.getDate() + index * weekDays + offset))
  const begin = days[0]!
  const end = new Date(from.getFullYear(), from.getMonth(), from.getDate() + (index + 1) * weekDays)
  return (
    <section className={classes.week} aria-label={`Week from ${day.format(begin)}`}>
      <div className={classes.days} aria-hidden>
        {days.map((one) => (
          <span key={one.getTime()} data-today={one.toDateString() === new Date().toDateString() || undefined}>{day.format(one)}</span>
        ))}
      </div>
      <Lane schedule={schedule} begin={begin} end={end} users={users} />
      {layers.map((layer) => (
        <Lane key={layer} schedule={schedule} begin={begin} end={end} users={users} layer={layer} />
      ))}
    </section>
  )
}

/** A week may be an hour longer or shorter than others. */
function Lane({ schedule, begin, end, users, layer }: { schedule: Schedule; begin: Date; end: Date; users: string[]; layer?: string }) {
  const shifts = useQuery(shiftsQuery(schedule, begin.toISOString(), (end.getTime() - begin.getTime()) / 86_400_000, layer))
  if (shifts.error) return <ErrorState error={shifts.error} />
  if (!shifts.data) return <RowsSkeleton count={1} />
  return (
    <>
      {layer !== undefined && <Text size="xs" c="dimmed">Layer {layer}</Text>}
      <ol className={classes.lane} aria-label={layer === undefined ? 'On call' : `Layer ${layer}`} data-thin={layer !== undefined || undefined}>
        {shifts.data.map((shift) => (
          <Turn key={shift.from} shift={shift} begin={begin} end={end} colour={users.indexOf(shift.user) % colours} quiet={layer !== undefined} />
        ))}
      </ol>
    </>
  )
}

function Turn({ shift, begin, end, colour, quiet }: { shift: Shift; begin: Date; end: Date; colour: number; quiet: boolean }) {
  // A layer that does not hold says nothing: others may.
  if (shift.nobody && quiet) return null
  const { left, width } = placed(shift, begin.getTime(), end.getTime())
  const who = shift.nobody ? 'nobody' : shift.user
  const by = shift.nobody ? '' : shift.layer === undefined ? ', stands in' : `, ${shift.layer}`
  return (
    <li className={classes.turn} style={{ left: `${left}%`, width: `${width}%` }} data-colour={shift.nobody ? undefined : colour} data-nobody={shift.nobody} title={`${who}${by}: ${exact.format(new Date(shift.from))} to ${exact.format(new Date(shift.until))}`}>
      {who}
    </li>
  )
}
