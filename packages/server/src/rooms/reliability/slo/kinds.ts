import { isTimeZone, objectiveText, SloSpec, SloStatus, type Cause, type Resource } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { percent } from './status.ts'
import { windowMinutes } from './window.ts'

const longestWindowMinutes = 92 * 1440

export const slo = defineKind<SloSpec, SloStatus>({
  kind: 'Slo',
  plural: 'slos',
  scope: 'Namespaced',
  description: 'A promise of a level of service, and what is left of the errors that it allows.',
  spec: SloSpec,
  status: SloStatus,
  maxNameLength: 80,
  indexes: ['spec.app', 'status.state'],
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ metadata, spec }) => [...whatIsCounted(metadata.name, spec), ...windowCauses(spec), ...sliceCauses(spec)],
  columns: [
    { name: 'App', type: 'string', description: 'App that it is about.', value: ({ spec }) => spec.app },
    { name: 'Environment', type: 'string', description: 'Environment.', value: ({ spec }) => (spec.app === undefined ? undefined : (spec.environment ?? 'production')) },
    { name: 'Objective', type: 'string', description: 'Share that shall be good.', value: ({ spec }) => objectiveText(spec.objective) },
    { name: 'State', type: 'string', description: 'How it stands.', value: ({ spec, status }) => `${status?.state ?? 'NoData'}${spec.draft ? ' (draft)' : ''}` },
    { name: 'Left', type: 'string', description: 'What is left of the budget.', value: ({ status }) => status?.budget && percent(Math.max(0, status.budget.remaining)) },
    { name: 'Message', type: 'string', description: 'In a sentence.', priority: 1, value: ({ status }) => status?.message },
  ],
})

function whatIsCounted(name: string, { app, indicator, composite }: SloSpec): Cause[] {
  if ((indicator === undefined) === (composite === undefined)) return [{ field: 'spec.indicator', message: 'Give an indicator or a composite, one of them.' }]
  if (composite) return composite.some(({ slo: member }) => member === name) ? [{ field: 'spec.composite', message: 'An objective is no part of itself.' }] : []
  const { golden, thresholdMs, ratio, threshold } = indicator!
  const given = [golden, ratio, threshold].filter((one) => one !== undefined).length
  return [
    ...(given === 1 ? [] : [{ field: 'spec.indicator', message: 'Give golden, ratio or threshold, one of them.' }]),
    ...(golden !== undefined && app === undefined ? [{ field: 'spec.app', message: 'Say which app the router shall count.' }] : []),
    ...(golden !== undefined && indicator!.source !== undefined ? [{ field: 'spec.indicator.source', message: 'What the router counts is kept by Pavior itself.' }] : []),
    ...((golden === 'latency') === (thresholdMs !== undefined) ? [] : [{ field: 'spec.indicator.thresholdMs', message: 'Give it for latency, and for nothing else.' }]),
    ...(ratio && (ratio.good === undefined) === (ratio.bad === undefined) ? [{ field: 'spec.indicator.ratio', message: 'Give good or bad, one of them.' }] : []),
  ]
}

function windowCauses({ window }: SloSpec): Cause[] {
  if (!window) return []
  const { rolling, calendar } = window
  if ((rolling === undefined) === (calendar === undefined)) return [{ field: 'spec.window', message: 'Give rolling or calendar, one of them.' }]
  if (rolling !== undefined) return windowMinutes(window) > longestWindowMinutes ? [{ field: 'spec.window.rolling', message: 'The longest window is 92d.' }] : []
  const { start, timeZone } = calendar!
  return [
    ...(isTimeZone(timeZone) ? [] : [{ field: 'spec.window.calendar.timeZone', message: `"${timeZone}" is no time zone; give one such as Europe/Berlin.` }]),
    ...(start !== undefined && Number.isNaN(Date.parse(`${start}Z`)) ? [{ field: 'spec.window.calendar.start', message: `"${start}" is no time.` }] : []),
  ]
}

function sliceCauses({ budgeting = 'Occurrences', timeSlice, composite }: Resource<SloSpec>['spec']): Cause[] {
  return [
    ...(timeSlice && (budgeting === 'Occurrences' || composite) ? [{ field: 'spec.timeSlice', message: 'Slices are of Timeslices and RatioTimeslices.' }] : []),
    ...(timeSlice?.minutes !== undefined && 60 % timeSlice.minutes !== 0 ? [{ field: 'spec.timeSlice.minutes', message: 'Give a divisor of 60.' }] : []),
    ...(timeSlice?.target !== undefined && budgeting !== 'Timeslices' ? [{ field: 'spec.timeSlice.target', message: 'A target is of Timeslices alone.' }] : []),
  ]
}
