/** `secret-stores`: looks for new versions in stores outside, and brings them out like those that are set here. */
import { fail, isPaviorError, type ErrorObject, type PaviorError, type Resource, type SecretStoreSpec, type SecretStoreStatus } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import { withTransition } from '../../kernel/conditions.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, resourceKeyText, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import { bytesOf, storeVersion, type CommandDeps } from './commands.ts'
import { openOwn, type HandOut } from './hand-out.ts'
import type { Secret } from './plan.ts'
import type { ExternalStore, ExternalVersion } from './ports.ts'

type SecretStore = Resource<SecretStoreSpec, SecretStoreStatus>
const actor = systemActor('secrets')
const defaultLookSeconds = 60

export interface StoreDeps extends CommandDeps {
  handOut: HandOut
  store: ExternalStore
}

export function createStoreReconciler(deps: StoreDeps): Reconciler {
  const { resources, clock } = deps
  return {
    name: 'secret-stores',
    concurrency: 4,
    interests: [
      { kind: 'SecretStore', keys: (object, previous) => (previous === undefined || previous.metadata.generation !== object.metadata.generation ? [resourceKeyText(object)] : []) },
      {
        kind: 'Secret',
        keys: (object, previous) => {
          const { external } = (object as unknown as Secret).spec
          return external && previous?.metadata.generation !== object.metadata.generation ? [`${object.metadata.namespace}/${external.store}`] : []
        },
      },
    ],
    reconcile: async (text, signal) => {
      const key = { kind: 'SecretStore', ...splitKey(text) }
      const found = await resources.get<SecretStore>(actor, key)
      if (!found || found.metadata.deletionTimestamp) return done
      const secrets = await resources.listAll<Secret>(actor, 'Secret', key.namespace, { fields: [{ path: 'spec.external.store', operator: '=', value: key.name }] })
      const problem = await look(deps, found, secrets.filter(({ metadata }) => !metadata.deletionTimestamp), signal)
      const now = clock.now().toISOString()
      const { lookedAt } = found.status ?? {}
      const status: SecretStoreStatus = {
        ...(problem ? (lookedAt === undefined ? {} : { lookedAt }) : { lookedAt: now }),
        ...(problem ? { problem } : {}),
        conditions: [
          withTransition(
            { type: 'Ready', status: problem ? 'False' : 'True', reason: problem?.code ?? 'Answers', message: problem?.message ?? 'It answers.', observedGeneration: found.metadata.generation },
            found.status?.conditions,
            now,
          ),
        ],
        observedGeneration: found.metadata.generation,
      }
      await resources.mutate<SecretStore>(actor, key, (current) => ({ ...current!, status }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
      return after((found.spec.lookSeconds ?? defaultLookSeconds) * 1000)
    },
  }
}

/** The problem of the store itself; what is wrong with one secret stands in that secret. */
async function look(deps: StoreDeps, { metadata, spec }: SecretStore, secrets: Secret[], signal: AbortSignal): Promise<ErrorObject | undefined> {
  try {
    const token = await tokenOf(deps, metadata, spec)
    const answers = new Map<string, ExternalVersion | PaviorError>()
    for (const secret of secrets) {
      const { path } = secret.spec.external!
      if (!answers.has(path)) answers.set(path, await deps.store.read(spec, token, path, signal).catch(refusedOnly))
      await take(deps, secret, answers.get(path)!)
    }
    return undefined
  } catch (error) {
    if (!isPaviorError(error)) throw error
    for (const secret of secrets) await noteProblem(deps, secret, error.toObject())
    return error.toObject()
  }
}

/** One path that is refused says nothing of the others; a store that does not answer is not asked again. */
function refusedOnly(error: unknown): PaviorError {
  if (isPaviorError(error) && error.code === 'SECRET_STORE_REFUSED') return error
  throw error
}

async function tokenOf({ resources, handOut }: StoreDeps, { namespace, name, uid }: SecretStore['metadata'], { token: { secret } }: SecretStoreSpec): Promise<string> {
  const token = await openOwn(handOut, resources, { id: uid, name: `store ${name}`, team: namespace!, secret })
  if (token === undefined) throw fail('SECRET_STORE_REFUSED', { message: `The store "${name}" has no token: the secret "${secret}" has no value.`, fix: `Set it: pavior secrets set, for the secret ${secret}.` })
  return token
}

async function take(deps: StoreDeps, secret: Secret, answer: ExternalVersion | PaviorError): Promise<void> {
  const { versions = [], externalVersion, problem } = secret.status ?? {}
  if (isPaviorError(answer)) return noteProblem(deps, secret, answer.toObject())
  const { store, path, field } = secret.spec.external!
  const known = versions.some(({ version }) => version === answer.version)
  const newest = versions.at(-1)?.version ?? 0
  try {
    const value = answer.fields[field]
    if (value === undefined) throw fail('SECRET_STORE_REFUSED', { message: `${path} in the store "${store}" has no field "${field}".`, fix: 'Correct the field of the secret, or write the field there.' })
    if (!known && answer.version < newest) throw fail('SECRET_STORE_REFUSED', { message: `${path} in the store "${store}" is at version ${answer.version}, and version ${newest} was there before.`, why: 'It was made anew there, and its versions are counted from 1 again.', fix: `Remove the secret "${secret.metadata.name}" here and make it again.` })
    if (!known) await storeVersion(deps, actor, secret, bytesOf({ value }, secret), { store: false, number: answer.version })
    if (problem || externalVersion !== answer.version) await writeStatus(deps, secret, { externalVersion: answer.version, problem: undefined })
  } catch (error) {
    if (!isPaviorError(error)) throw error
    await noteProblem(deps, secret, error.toObject())
  }
}

async function noteProblem(deps: StoreDeps, secret: Secret, problem: ErrorObject): Promise<void> {
  if (secret.status?.problem?.message !== problem.message) await writeStatus(deps, secret, { problem })
}

async function writeStatus({ resources }: StoreDeps, { metadata }: Secret, change: Partial<Secret['status']>): Promise<void> {
  await resources
    .mutate<Secret>(actor, { kind: 'Secret', namespace: metadata.namespace!, name: metadata.name }, (current) => {
      const status = { ...current!.status, ...change }
      if (status.problem === undefined) delete status.problem
      return { ...current!, status }
    }, { subresource: 'status' })
    .catch(ignore('NOT_FOUND'))
}
