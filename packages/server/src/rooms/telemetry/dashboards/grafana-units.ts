/** Units of Grafana's field configuration, as ours. */
import type { PanelUnit } from '@pavior/contract'

const toGrafana: Record<PanelUnit, string> = { short: 'short', ratio: 'percentunit', percent: 'percent', seconds: 's', milliseconds: 'ms', bytes: 'bytes', bytesPerSecond: 'Bps', perSecond: 'reqps' }
const fromGrafana: Record<string, PanelUnit> = {
  none: 'short', short: 'short', percentunit: 'ratio', percent: 'percent', s: 'seconds', ms: 'milliseconds',
  bytes: 'bytes', decbytes: 'bytes', Bps: 'bytesPerSecond', binBps: 'bytesPerSecond', reqps: 'perSecond', ops: 'perSecond', rps: 'perSecond', cps: 'perSecond', wps: 'perSecond', iops: 'perSecond',
}

export function grafanaUnit(unit: PanelUnit | undefined): string {
  return toGrafana[unit ?? 'short']
}

/** Undefined: one that we have no word for. */
export function ownUnit(unit: string | undefined): PanelUnit | undefined {
  return unit === undefined ? 'short' : Object.hasOwn(fromGrafana, unit) ? fromGrafana[unit] : undefined
}
