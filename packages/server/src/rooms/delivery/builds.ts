/** Builds of an app, and what their steps are called where they run. */
import type { BuildSpec, BuildStatus, Resource } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { isSuperseded } from './plan.ts'

export type Build = Resource<BuildSpec, BuildStatus>

export const actor = systemActor('delivery')
export const numberLabel = 'pavior.dev/number'
export const environmentLabel = 'pavior.dev/environment'
export const previewLabel = 'pavior.dev/preview'
export const stepTaskPrefix = 'build-'
export const finalPhases = new Set(['Succeeded', 'Failed', 'Canceled'])
/** Between SIGTERM and SIGKILL of a step that is not wanted any more. */
export const cancelGraceMs = 2000

export async function buildsOf(resources: Resources, team: string, app: string): Promise<Build[]> {
  return (await resources.list<Build>(actor, 'Build', team, { fields: [{ path: 'spec.app', operator: '=', value: app }], limit: 0 })).items
}

export function summaryOf({ spec, metadata }: Build): { app: string; environment?: string; number: number } {
  return { app: spec.app, environment: spec.environment, number: Number(metadata.labels?.[numberLabel] ?? 0) }
}

export async function earlierBuilds(resources: Resources, build: Build): Promise<Build[]> {
  const all = await buildsOf(resources, build.metadata.namespace!, build.spec.app)
  return all.filter((other) => isSuperseded(summaryOf(other), [summaryOf(build)]))
}

export function taskOf({ metadata }: Pick<Build, 'metadata'>, step: string): string {
  return `${stepTaskPrefix}${metadata.uid}-${step}`
}
