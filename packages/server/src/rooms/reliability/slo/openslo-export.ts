/** Objectives as OpenSLO v1. What it has no field for is an annotation, and comes back with an import. Pure. */
import type { SloSpec } from '@pavior/contract'
import { stringify } from 'yaml'
import type { Slo } from './evaluate.ts'
import { ownSource } from './openslo-indicator.ts'
import { annotationNames } from './openslo-reading.ts'
import { defaultWindow } from './window.ts'

const durations = { day: '1d', week: '1w', month: '1M', quarter: '1Q' } as const
const firstMonday = '2024-01-01T00:00:00'

/** `leftOut`: names of those that OpenSLO cannot say, with why. */
export function exportSlos(slos: readonly Slo[]): { text: string; leftOut: { name: string; why: string }[] } {
  const said = slos.filter(({ spec }) => spec.indicator)
  return {
    text: said.map((slo) => stringify(documentOf(slo))).join('---\n'),
    leftOut: slos.filter(({ spec }) => !spec.indicator).map(({ metadata }) => ({ name: metadata.name, why: 'It is made of others, and OpenSLO v1 has no such thing.' })),
  }
}

function documentOf({ metadata, spec }: Slo): object {
  const { description, app, objective, budgeting = 'Occurrences', timeSlice, indicator, window } = spec
  const annotations = annotationsOf(spec)
  const policies = (spec.alerting?.page ?? []).map((rule, index) => policyOf(`${metadata.name}-page-${index + 1}`, rule))
  return {
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: { name: metadata.name, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      ...(description === undefined ? {} : { description }),
      service: app ?? metadata.name,
      indicator: { metadata: { name: metadata.name }, spec: metricOf(indicator!) },
      timeWindow: [windowOf(window ?? defaultWindow)],
      budgetingMethod: budgeting,
      objectives: [
        {
          ...(indicator!.threshold ? { op: indicator!.threshold.op, value: indicator!.threshold.value } : {}),
          target: objective,
          ...(budgeting === 'Timeslices' ? { timeSliceTarget: timeSlice?.target ?? objective } : {}),
          ...(budgeting === 'Occurrences' ? {} : { timeSliceWindow: `${timeSlice?.minutes ?? 1}m` }),
        },
      ],
      ...(policies.length > 0 ? { alertPolicies: policies } : {}),
    },
  }
}

function annotationsOf({ environment, budgetPolicy, alerting }: SloSpec): Record<string, string> {
  return Object.fromEntries(
    Object.entries({
      [annotationNames.environment]: environment,
      [annotationNames.onExhausted]: budgetPolicy?.onExhausted,
      [annotationNames.ticketAt]: alerting?.ticketAt,
      [annotationNames.minimumBad]: alerting?.minimumBad,
    }).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )
}

function metricOf({ golden, thresholdMs, ratio, threshold, source }: NonNullable<SloSpec['indicator']>): object {
  const prometheus = (query: string): object => ({ metricSource: { ...(source === undefined ? {} : { metricSourceRef: source }), type: 'Prometheus', spec: { query } } })
  const own = (of: string): object => ({ metricSource: { type: ownSource, spec: { signal: golden, ...(thresholdMs === undefined ? {} : { thresholdMs }), of } } })
  if (threshold) return { thresholdMetric: prometheus(threshold.query) }
  if (golden) return { ratioMetric: { counter: true, good: own('good'), total: own('total') } }
  return { ratioMetric: { counter: false, ...(ratio!.good === undefined ? { bad: prometheus(ratio!.bad!) } : { good: prometheus(ratio!.good) }), total: prometheus(ratio!.total) } }
}

function windowOf({ rolling, calendar }: NonNullable<SloSpec['window']>): object {
  if (!calendar) return { duration: rolling, isRolling: true }
  return { duration: durations[calendar.period], isRolling: false, calendar: { startTime: (calendar.start ?? firstMonday).replace('T', ' '), timeZone: calendar.timeZone } }
}

function policyOf(name: string, { burn, over, short }: NonNullable<NonNullable<SloSpec['alerting']>['page']>[number]): object {
  const condition = { kind: 'burnrate', op: 'gt', threshold: burn, lookbackWindow: over, ...(short === undefined ? {} : { alertAfter: short }) }
  return { kind: 'AlertPolicy', metadata: { name }, spec: { conditions: [{ kind: 'AlertCondition', metadata: { name }, spec: { severity: 'page', condition } }] } }
}
