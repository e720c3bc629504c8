import { exportTypes, type Resource, type TelemetryExportSpec, type TelemetryExportStatus } from '@pavior/contract'
import { Status } from '../../pieces/status.tsx'

export type TelemetryExport = Resource<TelemetryExportSpec, TelemetryExportStatus>

export function typeOf({ spec }: TelemetryExport): string {
  return exportTypes.find((type) => spec[type] !== undefined) ?? ''
}

export function exportPath({ metadata }: Pick<TelemetryExport, 'metadata'>): string {
  return `/explore/exports/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(metadata.name)}`
}

/** How an export does. */
export function ExportState({ state = 'Waiting' }: { state?: TelemetryExportStatus['state'] | undefined }) {
  return <Status word={state} tone={state === 'Failing' ? 'bad' : state === 'Exporting' ? 'good' : 'idle'} />
}
