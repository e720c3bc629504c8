/** Rules over more than one resource: names that clash, and what only the platform writes. */
import { isDeepStrictEqual } from 'node:util'
import { fail, type AppSpec, type Resource, type SecretSpec } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Admission, AdmissionRequest, Resources } from '../../kernel/resources/index.ts'
import { clashOf, type Secret } from './plan.ts'

const system = systemActor('secrets')
/** Keeps a deleted secret until its values are destroyed. */
export const valuesFinalizer = 'pavior.dev/secret-values'

/** Asked at call time, because resources are built with their admission. */
export function createSecretRules(resources: () => Pick<Resources, 'listAll'>): Admission {
  return async (request) => {
    if (request.verb === 'delete' || request.actor.kind === 'system') return
    if (request.kind.kind === 'Secret') await checkSecret(resources(), request)
    if (request.kind.kind === 'SecretStore') checkStatus(request)
    if (request.kind.kind === 'App') await checkConfiguration(resources(), request)
  }
}

async function checkSecret(resources: Pick<Resources, 'listAll'>, request: AdmissionRequest): Promise<void> {
  checkStatus(request)
  const { object, previous } = request
  const { spec, metadata } = object as unknown as Secret
  if (!previous) metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), valuesFinalizer])]
  else if (!metadata.finalizers?.includes(valuesFinalizer) && previous.metadata.finalizers?.includes(valuesFinalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), valuesFinalizer]
  if (previous && isDeepStrictEqual(previous.spec, spec)) return
  const others = await resources.listAll<Secret>(system, 'Secret', metadata.namespace, { fields: [{ path: 'spec.key', operator: '=', value: spec.key }] })
  const clash = clashOf({ metadata, spec }, others)
  if (clash) {
    throw fail('SECRET_OF_THAT_NAME', {
      message: `The secret "${clash.metadata.name}" has the key ${spec.key} in the same place.`,
      why: 'Nobody could tell which of the two an app would get.',
      fix: `Set a new version of it with pavior secrets set ${spec.key}, or give one of the two other environments.`,
    })
  }
}

/** Versions and rotations are this room's to write. */
function checkStatus({ object, previous, kind }: AdmissionRequest): void {
  if (!previous || isDeepStrictEqual(object.status, previous.status)) return
  throw fail('FORBIDDEN', { message: `The status of ${kind.plural} "${object.metadata.name}" cannot be written.`, fix: 'Use pavior secrets set, rotate, rollback or revoke.' })
}

/** A variable that is set anew must not have the name of a secret; which of the two an app got would be a guess for whoever reads. */
async function checkConfiguration(resources: Pick<Resources, 'listAll'>, { object, previous }: AdmissionRequest): Promise<void> {
  const before = (previous?.spec as AppSpec | undefined)?.config ?? {}
  const changed = Object.entries((object.spec as AppSpec).config ?? {}).flatMap(([environment, values]) =>
    Object.keys(values).flatMap((key) => (before[environment]?.[key] === values[key] ? [] : [{ environment, key }])),
  )
  if (changed.length === 0) return
  const app = object.metadata.name
  for (const { metadata, spec } of await resources.listAll<Resource<SecretSpec>>(system, 'Secret', object.metadata.namespace)) {
    const taken = changed.find(({ environment, key }) => key === spec.key && (spec.app ?? app) === app && (spec.environments?.includes(environment) ?? true))
    if (taken) {
      throw fail('SECRET_OF_THAT_NAME', {
        message: `${taken.key} of ${app} in ${taken.environment} is a secret, so it cannot be configuration too.`,
        fix: `Set its value with pavior secrets set ${taken.key} --app ${app}, or remove the secret "${metadata.name}" first.`,
        causes: [{ field: `spec.config.${taken.environment}.${taken.key}`, message: 'has the name of a secret' }],
      })
    }
  }
}
