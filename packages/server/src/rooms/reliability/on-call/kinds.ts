import { isTimeZone, OnCallScheduleSpec, OnCallScheduleStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { gapsOf, shiftsOf } from './plan.ts'

/** So far ahead holes are looked for. */
export const lookAheadMs = 28 * 24 * 3600_000

export const onCallSchedule = defineKind<OnCallScheduleSpec, OnCallScheduleStatus>({
  kind: 'OnCallSchedule',
  plural: 'oncallschedules',
  shortNames: ['oncall'],
  scope: 'Namespaced',
  description: 'Who is on call when, by layers of turns, holidays and overrides.',
  spec: OnCallScheduleSpec,
  status: OnCallScheduleStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => causesOf(spec),
  warn: ({ spec }, now) => gapWarnings(spec, now),
  columns: [
    { name: 'Now', type: 'string', description: 'Who is on call.', value: ({ status }) => status?.now?.user ?? 'nobody' },
    { name: 'Until', type: 'date', description: 'End of that turn.', value: ({ status }) => status?.now?.until },
    { name: 'Next', type: 'string', description: 'Who follows.', value: ({ status }) => status?.next?.user },
    { name: 'Gaps', type: 'integer', description: 'Times of the next 28 days in which nobody is on call.', value: ({ status }) => status?.gaps?.length ?? 0 },
  ],
})

function causesOf({ timeZone, layers, holidays = [], overrides = [] }: OnCallScheduleSpec): Cause[] {
  const names = layers.map(({ name }) => name)
  return [
    ...(isTimeZone(timeZone) ? [] : [{ field: 'spec.timeZone', message: `"${timeZone}" is no time zone; give one such as Europe/Berlin.` }]),
    ...names.flatMap((name, index) => (names.indexOf(name) === index ? [] : [{ field: `spec.layers[${index}].name`, message: `There is a layer "${name}" already.` }])),
    ...layers.flatMap(({ start }, index) => (isDay(start) ? [] : [{ field: `spec.layers[${index}].start`, message: `"${start}" is no day.` }])),
    ...holidays.flatMap((day, index) => (isDay(day) ? [] : [{ field: `spec.holidays[${index}]`, message: `"${day}" is no day.` }])),
    ...overrides.flatMap(({ from, until }, index) => (Date.parse(from) < Date.parse(until) ? [] : [{ field: `spec.overrides[${index}].until`, message: 'It ends before it begins.' }])),
  ]
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** A hole may be meant, so it is told and not refused. */
function gapWarnings(spec: OnCallScheduleSpec, now: Date): string[] {
  const gaps = gapsOf(shiftsOf(spec, now.getTime(), now.getTime() + lookAheadMs))
  if (gaps.length === 0) return []
  const { fromMs, untilMs } = gaps[0]!
  return [`nobody is on call ${gaps.length === 1 ? 'once' : `${gaps.length} times`} in the next 28 days, first from ${minute(fromMs)} until ${minute(untilMs)} UTC`]
}

function minute(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ')
}
