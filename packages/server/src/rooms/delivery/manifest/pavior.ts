/** `pavior.yaml`: the App's own fields, with a name, and a plain string as short form of a process. */
import { AppSpec, fail } from '@pavior/contract'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Declaration } from '../ports.ts'
import { causesOf } from './causes.ts'
import { parseYaml } from './yaml.ts'

/** What people set elsewhere (`pavior config`, `scale`, `restart`) or the platform fills in is not the manifest's. */
const notDeclarable = ['config', 'scale', 'restart', 'declaredBy', 'pinned'] as const

const Manifest = Type.Object(
  { name: Type.Optional(Type.String({ pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 })), ...Type.Omit(AppSpec, [...notDeclarable]).properties },
  { additionalProperties: false },
)
const compiled = Compile(Manifest)

export function readPaviorManifest(file: string, text: string): Declaration {
  const { value, lineOf } = parseYaml(file, text)
  const content = expandShortForms(value ?? {})
  if (!compiled.Check(content)) {
    const causes = [...compiled.Errors(content)].flatMap((error) => causesOf(file, error, lineOf))
    throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${causes[0]?.field}: ${causes[0]?.message}.`, causes })
  }
  checkKeys(file, content as Partial<AppSpec>, lineOf)
  const { name, ...spec } = content as { name?: string } & Partial<AppSpec>
  return { declaredBy: 'pavior.yaml', ...(name === undefined ? {} : { name }), spec }
}

const processName = /^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The schema leaves keys alone that do not have the form of the map's keys; nobody would see why they have no effect. */
function checkKeys(file: string, { processes = {}, env = {}, build = {} }: Partial<AppSpec>, lineOf: (path: string[]) => number | undefined): void {
  const check = (path: string[], names: string[], form: RegExp, message: string): void => {
    for (const name of names) {
      if (form.test(name)) continue
      const field = `${file}:${lineOf([...path, name])} ${[...path, name].join('.')}`
      throw fail('MANIFEST_INVALID', { message: `${file} cannot be used: ${field}: ${message}.`, causes: [{ field, message, reason: 'FieldValueInvalid' }] })
    }
  }
  check(['processes'], Object.keys(processes), processName, 'is not a name for a process; use at most 30 lower-case letters, digits and hyphens, beginning with a letter')
  check(['env'], Object.keys(env), variableName, 'is not a name that an environment variable can have')
  check(['build', 'env'], Object.keys(build.env ?? {}), variableName, 'is not a name that an environment variable can have')
}

/** `web: npm start` → `web: { command: npm start }`; numbers and booleans of env become text. */
function expandShortForms(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const content = { ...(value as Record<string, unknown>) }
  if (isMap(content.processes)) content.processes = mapValues(content.processes, (process) => (typeof process === 'string' ? { command: process } : process))
  if (isMap(content.env)) content.env = mapValues(content.env, (entry) => (typeof entry === 'number' || typeof entry === 'boolean' ? String(entry) : entry))
  return content
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapValues(map: Record<string, unknown>, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))
}
