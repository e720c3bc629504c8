/** Deciding over templates and runs; touches nothing. */
import { fail, withOrder, type TemplateRunStatus, type TemplateRunStep, type TemplateSpec, type TemplateStep } from '@pavior/contract'
import semver from 'semver'

export const apiVersions = ['scaffolder.backstage.io/v1beta3', 'pavior.dev/v1']
export const versionAnnotation = 'pavior.dev/version'
export const notesAnnotation = 'pavior.dev/notes'

/** What template.yaml says, in our form; without what only the platform knows. */
export interface Manifest {
  name: string
  notes?: string
  spec: TemplateSpec
}

interface Entity {
  apiVersion?: unknown
  kind?: unknown
  metadata?: { name?: unknown; title?: unknown; description?: unknown; tags?: unknown; annotations?: Record<string, unknown> }
  spec?: { type?: unknown; owner?: unknown; parameters?: unknown; steps?: unknown; output?: unknown; deprecated?: unknown; EXPERIMENTAL_recovery?: unknown; presentation?: unknown; secrets?: unknown }
}

const invalid = (message: string, fix?: string): Error => fail('TEMPLATE_INVALID', { message: `template.yaml cannot be used: ${message}`, ...(fix ? { fix } : {}) })

/** A Backstage scaffolder template (v1beta3) as it is. Throws TEMPLATE_INVALID and TEMPLATE_ACTION_UNKNOWN. */
export function readManifest(document: unknown, actions: readonly string[]): Manifest {
  const { apiVersion, kind, metadata = {}, spec = {} } = (document ?? {}) as Entity
  if (kind !== 'Template') throw invalid('its kind is not Template.')
  if (!apiVersions.includes(String(apiVersion))) throw invalid(`its apiVersion is ${JSON.stringify(apiVersion ?? null)}.`, `Use ${apiVersions.join(' or ')}.`)
  const { name } = metadata
  if (typeof name !== 'string' || !/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) throw invalid('metadata.name must be lower-case letters, digits and hyphens, beginning with a letter.')
  const version = String(metadata.annotations?.[versionAnnotation] ?? '1.0.0')
  if (semver.valid(version) !== version) throw invalid(`the annotation ${versionAnnotation} is "${version}", which is no version such as 1.4.0.`)
  const notes = metadata.annotations?.[notesAnnotation]
  return {
    name,
    ...(typeof notes === 'string' ? { notes: notes.slice(0, 4000) } : {}),
    spec: {
      version,
      title: text(metadata.title, 200) ?? name,
      ...given('description', text(metadata.description, 2000)),
      ...given('type', text(spec.type, 80)),
      ...given('owner', text(spec.owner, 200)),
      ...(Array.isArray(metadata.tags) ? { tags: metadata.tags.map((tag) => String(tag).slice(0, 60)).slice(0, 30) } : {}),
      parameters: readPages(spec.parameters),
      steps: readSteps(spec.steps, actions),
      ...(isRecord(spec.output) ? { output: spec.output } : {}),
      ...(isRecord(spec.deprecated) ? { deprecated: readDeprecation(spec.deprecated) } : {}),
    },
  }
}

function readDeprecation({ message, deadline, replacement }: Record<string, unknown>): NonNullable<TemplateSpec['deprecated']> {
  return { message: text(message, 1000) ?? 'It is not kept up any more.', ...given('deadline', text(deadline, 10)), ...given('replacement', text(replacement, 80)) }
}

function readPages(parameters: unknown): Record<string, unknown>[] {
  if (parameters === undefined) return []
  const pages = Array.isArray(parameters) ? parameters : [parameters]
  for (const [index, page] of pages.entries()) {
    if (!isRecord(page)) throw invalid(`page ${index + 1} of spec.parameters is not an object.`)
    if (page.properties !== undefined && !isRecord(page.properties)) throw invalid(`spec.parameters[${index}].properties is not an object.`)
  }
  // JSON is kept without the order of its keys.
  return (pages as Record<string, unknown>[]).map((page) => withOrder(page))
}

function readSteps(steps: unknown, actions: readonly string[]): TemplateStep[] {
  if (!Array.isArray(steps) || steps.length === 0) throw invalid('spec.steps must list at least one step.')
  const seen = new Set<string>()
  return steps.map((step: unknown, index): TemplateStep => {
    if (!isRecord(step)) throw invalid(`step ${index + 1} is not an object.`)
    const id = text(step.id, 80) ?? `step-${index + 1}`
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(id)) throw invalid(`step ${index + 1} has the id "${id}", which is not letters, digits, _ and -.`)
    if (seen.has(id)) throw invalid(`two steps have the id "${id}".`)
    seen.add(id)
    const action = text(step.action, 80) ?? ''
    if (!actions.includes(action)) {
      throw fail('TEMPLATE_ACTION_UNKNOWN', { message: `Step "${id}" uses the action "${action}", which does not exist here.`, fix: `Use one of: ${actions.join(', ')}.`, facts: { action, actions } })
    }
    return {
      id,
      name: text(step.name, 200) ?? id,
      action,
      ...(step.input === undefined ? {} : { input: step.input }),
      ...(typeof step.if === 'string' || typeof step.if === 'boolean' ? { if: step.if } : {}),
      ...(step.each === undefined ? {} : { each: step.each }),
    }
  })
}

/** Every text of a structure, for a look at the expressions in it. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsOf)
  return isRecord(value) ? Object.values(value).flatMap(textsOf) : []
}

export function journalOf(steps: readonly TemplateStep[]): TemplateRunStep[] {
  return steps.map(({ id, name, action }) => ({ id, name, action, state: 'pending' as const }))
}

export function note(steps: readonly TemplateRunStep[], id: string, change: Partial<TemplateRunStep>): TemplateRunStep[] {
  return steps.map((step) => (step.id === id ? { ...step, ...change } : step))
}

export type NextMove = 'run' | 'undo' | 'wait' | 'nothing'

/** What a run needs now. */
export function nextMove(spec: { resume?: string; canceled?: boolean }, status: TemplateRunStatus | undefined): NextMove {
  const phase = status?.phase
  if (phase === 'Succeeded' || phase === 'Failed') return 'nothing'
  if (phase === 'Undoing' || spec.canceled) return 'undo'
  if (phase === 'Stopped') return spec.resume !== undefined && spec.resume !== status?.resumed ? 'run' : 'wait'
  return 'run'
}

/** As Backstage has it: false, 0, empty text and "false" leave the step out. */
export function isTrue(value: unknown): boolean {
  return Boolean(value) && value !== 'false'
}

/** Version that an app should be on: the canary's when it takes part, else the current one. */
export function offeredVersion(spec: Pick<TemplateSpec, 'version' | 'canary'>, app: string): string {
  return spec.canary?.apps.includes(app) ? spec.canary.version : spec.version
}

export function isOlder(version: string, than: string): boolean {
  return semver.valid(version) !== null && semver.valid(than) !== null && semver.lt(version, than)
}

export function newestFirst<T extends { version: string }>(versions: readonly T[]): T[] {
  return versions.toSorted((one, other) => semver.rcompare(one.version, other.version))
}

function text(value: unknown, longest: number): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  return value.slice(0, longest)
}

function given<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]: V })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
