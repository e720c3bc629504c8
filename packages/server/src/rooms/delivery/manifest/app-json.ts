/**
 * `app.json` beside a Procfile, as Heroku and Dokku have it: how many instances, default variables, health checks.
 *
 * Other tools keep other things in a file of this name, so unknown keys are left alone. `scripts.postdeploy` is not run: with
 * Heroku it runs once in the life of an app, which no process of ours does; a `release` line in the Procfile runs at every release.
 */
import { fail, type AppSpec, type ProcessSpec } from '@pavior/contract'

const mostReplicas = 100
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

export function readAppJson(text: string): Partial<AppSpec> {
  const content = parseJson(text)
  const processes = withHealth(formationOf(content.formation), content.healthchecks)
  const env = envOf(content.env)
  return {
    ...(typeof content.description === 'string' && content.description.length > 0 ? { description: content.description.slice(0, 1000) } : {}),
    ...(Object.keys(processes).length > 0 ? { processes } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
  }
}

function invalid(field: string, message: string): Error {
  return fail('MANIFEST_INVALID', { message: `app.json cannot be used: ${field} ${message}.`, causes: [{ field: `app.json ${field}`, message, reason: 'FieldValueInvalid' }] })
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw fail('MANIFEST_INVALID', { message: `app.json is not valid JSON: ${(error as Error).message}` })
  }
  if (!isMap(content)) throw fail('MANIFEST_INVALID', { message: 'app.json must be a JSON object.' })
  return content
}

/** `{ "web": { "quantity": 2 } }` */
function formationOf(formation: unknown): Record<string, ProcessSpec> {
  if (formation === undefined) return {}
  if (!isMap(formation)) throw invalid('formation', 'must be an object')
  const processes: Record<string, ProcessSpec> = {}
  for (const [name, entry] of Object.entries(formation)) {
    const quantity = isMap(entry) ? entry.quantity : undefined
    if (quantity === undefined) continue
    if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 0 || quantity > mostReplicas) throw invalid(`formation.${name}.quantity`, `must be a whole number from 0 to ${mostReplicas}`)
    processes[name] = { replicas: quantity }
  }
  return processes
}

/** Dokku's: the path of the first HTTP check of a process. */
function withHealth(processes: Record<string, ProcessSpec>, healthchecks: unknown): Record<string, ProcessSpec> {
  if (!isMap(healthchecks)) return processes
  const found = Object.entries(healthchecks).flatMap(([name, checks]) => {
    const check = Array.isArray(checks) ? checks.find((one) => isMap(one) && typeof one.path === 'string' && /^\/[^\s]*$/.test(one.path)) : undefined
    return isMap(check) ? [[name, { ...processes[name], health: { path: check.path as string } }] as const] : []
  })
  return { ...processes, ...Object.fromEntries(found) }
}

/** `"NAME": "value"`, or an object with a value; without one it is for `pavior config set`. */
function envOf(env: unknown): Record<string, string> {
  if (env === undefined) return {}
  if (!isMap(env)) throw invalid('env', 'must be an object')
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, entry]): [string, string][] => {
      const value = isMap(entry) ? entry.value : entry
      if (value === undefined || value === null) return []
      if (!variableName.test(name)) throw invalid(`env.${name}`, 'is not a name that an environment variable can have')
      if (typeof value !== 'string') throw invalid(`env.${name}`, 'must be text')
      return [[name, value]]
    }),
  )
}
