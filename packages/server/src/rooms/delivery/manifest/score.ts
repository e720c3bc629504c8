/** `score.yaml`: a workload in the Score format, version v1b1 (https://score.dev), as an App. Pure. */
import { fail, type AppSpec, type Cause, type ProcessSpec } from '@pavior/contract'
import { Compile } from 'typebox/compile'
import type { Declaration } from '../ports.ts'
import { causesOf } from './causes.ts'
import { expand, referencesOf } from './score-placeholders.ts'
import { Score, type Container } from './score-schema.ts'
import { parseYaml } from './yaml.ts'

const compiled = Compile(Score)
const processName = /^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Port that our instances are told in PORT; what the file calls it does not matter inside. */
const portVariable = 'PORT'

export function readScore(file: string, text: string): Declaration {
  const { value, lineOf } = parseYaml(file, text)
  if (!compiled.Check(value)) {
    const causes = [...compiled.Errors(value)].flatMap((error) => causesOf(file, error, lineOf))
    throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${causes[0]?.field}: ${causes[0]?.message}.`, causes, more: 'https://docs.score.dev' })
  }
  const refuse: Refuse = (path, message, fix) => {
    const line = lineOf(path)
    const field = `${file}${line === undefined ? '' : `:${line}`} ${path.join('.')}`
    throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${field} ${message}.`, causes: [{ field, message, reason: 'FieldValueInvalid' }] satisfies Cause[], ...(fix === undefined ? {} : { fix }) })
  }
  const { metadata, containers, service, resources } = value
  const context = { metadata, resources: resources ?? {} }
  const names = processNames(Object.keys(containers), service !== undefined)
  const processes: Record<string, ProcessSpec> = {}
  let env: Record<string, string> = {}
  for (const [container, name] of names) {
    const path = ['containers', container]
    const content = containers[container]!
    if (!processName.test(name)) refuse(path, 'is too long to name a process', 'Use at most 30 lower-case letters, digits and hyphens, beginning with a letter.')
    refuseWhatIsNotRun(content, path, refuse)
    processes[name] = processOf(content, path, context, refuse)
    env = mergeVariables(env, content, path, context, refuse)
  }
  return {
    declaredBy: 'score.yaml',
    name: metadata.name,
    spec: {
      processes,
      ...(Object.keys(env).length === 0 ? {} : { env }),
      ...(resources === undefined ? {} : { resources: resources as NonNullable<AppSpec['resources']> }),
    },
  }
}

export type Refuse = (path: string[], message: string, fix?: string) => never

/** The container named web, else the only or first one of a workload with a service, is the web process. */
function processNames(containers: string[], serves: boolean): [container: string, process: string][] {
  const web = containers.includes('web') || !serves ? undefined : containers[0]
  return containers.map((name) => [name, name === web ? 'web' : name])
}

/** The source of the app is what runs, so an image of somebody else's cannot be honoured; `.` stands for the source. */
function refuseWhatIsNotRun(container: Container, path: string[], refuse: Refuse): void {
  if (container.image !== '.') {
    refuse([...path, 'image'], `asks for the image "${container.image}", and Pavior runs what it builds from the source`, 'Use image: "." for the app itself; declare databases and the like below resources.')
  }
  const left = [['files', container.files], ['volumes', container.volumes], ['before', container.before]] as const
  for (const [name, value] of left) {
    if (value !== undefined && Object.keys(value).length > 0) refuse([...path, name], 'is not supported', name === 'files' ? 'Put the file into the source of the app.' : name === 'volumes' ? 'Declare what the app stores below resources.' : undefined)
  }
}

interface Context {
  metadata: { name: string; annotations?: Record<string, string> }
  resources: Record<string, unknown>
}

function processOf(container: Container, path: string[], context: Context, refuse: Refuse): ProcessSpec {
  const words = [...(container.command ?? []), ...(container.args ?? [])]
  if (container.args !== undefined && container.command === undefined) refuse([...path, 'args'], 'needs command beside it, since the app has no image with an entry point')
  const command = words.map((word, index) => quote(expandText(word, [...path, index < (container.command?.length ?? 0) ? 'command' : 'args'], context, refuse))).join(' ')
  const { memory, cpu } = container.resources?.limits ?? {}
  const health = container.readinessProbe ?? container.livenessProbe
  const probe = container.readinessProbe ? 'readinessProbe' : 'livenessProbe'
  if (health?.exec !== undefined && health.httpGet === undefined) refuse([...path, probe, 'exec'], 'is not supported', 'Use httpGet with a path.')
  return {
    ...(words.length === 0 ? {} : { command }),
    ...(memory === undefined ? {} : { memory: memoryOf(memory, [...path, 'resources', 'limits', 'memory'], refuse) }),
    ...(cpu === undefined ? {} : { cpu: cpu.endsWith('m') ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu) }),
    ...(health?.httpGet === undefined ? {} : { health: { path: health.httpGet.path } }),
  }
}

function memoryOf(quantity: string, path: string[], refuse: Refuse): string {
  return /[TPE]i?$/.test(quantity) ? refuse(path, `is more than an instance can have (${quantity})`) : quantity
}

/** One word for sh: as it is where nothing in it has a meaning, else in single quotes. `$PORT` and its like stay variables. */
function quote(word: string): string {
  if (/^\$\{?[A-Za-z_][A-Za-z0-9_]*\}?$/.test(word)) return `"${word}"`
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function mergeVariables(before: Record<string, string>, { variables = {} }: Container, path: string[], context: Context, refuse: Refuse): Record<string, string> {
  const env = { ...before }
  for (const [name, text] of Object.entries(variables)) {
    const place = [...path, 'variables', name]
    if (!variableName.test(name)) refuse(place, 'is not a name that an environment variable can have')
    if (name === portVariable) continue
    const value = expandText(text, place, context, refuse)
    // All processes of an app share their variables, as with Heroku.
    if (env[name] !== undefined && env[name] !== value) refuse(place, 'has another value in another container, and the processes of an app share their variables', 'Give it one value, or two names.')
    env[name] = value
  }
  return env
}

/** References to resources are kept: they are filled in when the resource is bound. */
function expandText(text: string, path: string[], context: Context, refuse: Refuse): string {
  for (const { reference, problem } of referencesOf(text, context)) if (problem !== undefined) refuse(path, `refers to \${${reference}}, ${problem}`)
  return expand(text, context)
}
