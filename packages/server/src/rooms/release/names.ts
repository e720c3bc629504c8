/** Names and labels that tie the resources of one app together. Pure. */
import type { ObjectMeta, OwnerReference, Resource } from '@pavior/contract'
import { apiVersion } from '@pavior/contract'

export const labels = {
  app: 'pavior.dev/app',
  environment: 'pavior.dev/environment',
  deployment: 'pavior.dev/deployment',
  process: 'pavior.dev/process',
  build: 'pavior.dev/build',
  /** Counts up per app; the order of releases and deployments. */
  number: 'pavior.dev/number',
  /** On builds, releases, deployments and sets of a preview. */
  preview: 'pavior.dev/preview',
} as const

/** On a Build whose deployment was refused: the reason, as a coded error in JSON. */
export const refusalAnnotation = 'pavior.dev/refusal'

export function isPreview({ metadata }: { metadata: ObjectMeta }): boolean {
  return metadata.labels?.[labels.preview] !== undefined
}

/** The label, for what belongs to a preview. */
export function previewLabel(preview: boolean): Record<string, string> {
  return preview ? { [labels.preview]: 'true' } : {}
}

export function releaseName(app: string, version: number): string {
  return `${app}-v${version}`
}

export function deploymentName(app: string, environment: string, number: number): string {
  return `${app}-${environment}-${number}`
}

export function setName(deployment: string, process: string): string {
  return `${deployment}-${process}`
}

export function routeName(app: string, environment: string, suffix: string): string {
  return `${app}-${environment}${suffix}`
}

export function numberOf({ metadata }: { metadata: ObjectMeta }): number {
  return Number(metadata.labels?.[labels.number] ?? 0)
}

/** What belongs to an app goes with it. */
export function ownedBy({ kind, metadata }: Resource): OwnerReference[] {
  return [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }]
}
