/** People change what a repository declares in the repository. */
import { fail, type ConfigRepoSpec, type Resource } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { KindDefinition } from '../../kernel/kind.ts'
import { createFieldManager, type FieldManager } from '../../kernel/kube/apply.ts'
import type { Admission, AdmissionRequest, Resources } from '../../kernel/resources/index.ts'
import { configRepo } from './kinds.ts'
import { fileAnnotation, managerOf, manualAnnotation, repoLabel } from './plan.ts'
import { actor as system, type ConfigRepo } from './sync.ts'

const managers = new WeakMap<KindDefinition, FieldManager>()

export function createConfigRules(resources: () => Pick<Resources, 'get'>, clock: Clock): Admission {
  return async (request) => {
    if (request.kind.kind === configRepo.kind) return mayDeclareCluster(request)
    const { actor, verb, object, previous } = request
    const name = previous?.metadata.labels?.[repoLabel]
    // The platform's own writers carry out what is declared.
    if (name === undefined || actor.kind === 'system' || actor.name === managerOf(name)) return
    const fields = verb === 'delete' ? ['all of it'] : touched(request)
    if (fields.length === 0) return
    const repo = await repoOf(resources(), previous!, name)
    if (!repo || repo.spec.suspended) return
    if (repo.spec.manualChanges === 'mark' && verb !== 'delete') {
      object.metadata.annotations = { ...object.metadata.annotations, [manualAnnotation]: `${actor.name} changed ${fields.join(', ')} at ${clock.now().toISOString()}`.slice(0, 1000) }
    } else if (repo.spec.manualChanges !== 'mark') throw refusal(repo, previous!, fields)
  }
}

/** What belongs to no team is changed by administrators of the platform alone, and they are not held. */
async function repoOf(resources: Pick<Resources, 'get'>, { metadata }: Resource, name: string): Promise<ConfigRepo | undefined> {
  return metadata.namespace === undefined ? undefined : resources.get<ConfigRepo>(system, { kind: configRepo.kind, namespace: metadata.namespace, name })
}

function touched({ kind, previous, object }: AdmissionRequest): string[] {
  const fields = managers.get(kind) ?? createFieldManager(kind)
  managers.set(kind, fields)
  return fields.touched(previous!, object, managerOf(previous!.metadata.labels![repoLabel]!)).map((field) => field.replace(/^\./, ''))
}

function refusal({ metadata, spec, status }: ConfigRepo, { kind, metadata: { name, annotations = {} } }: Resource, fields: string[]): Error {
  const file = annotations[fileAnnotation] ?? 'its files'
  const where = spec.url ?? status?.url ?? metadata.name
  return fail('CONFIG_MANAGED', {
    message: `${kind} ${name} is declared in ${file} of the repository ${metadata.name}, so ${fields.slice(0, 3).join(', ')} cannot be changed here.`,
    fix: `git clone ${where}, change ${file}, commit and push to ${spec.branch ?? 'main'}.`,
    facts: { repository: metadata.name, file, fields },
  })
}

/** Resources that belong to no team are the platform's. */
function mayDeclareCluster({ actor, verb, object, previous }: AdmissionRequest): void {
  const asked = (object.spec as ConfigRepoSpec).cluster === true
  if (verb === 'delete' || !asked || actor.admin || (previous?.spec as ConfigRepoSpec | undefined)?.cluster === true) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not let a repository declare resources that belong to no team.`, why: 'Only an administrator of the platform may.', fix: 'Leave out spec.cluster, or ask an administrator of the platform.' })
}
