/** `pavior.yaml`: the App's own fields, with a name, and a plain string as short form of a process. */
import { AppSpec, fail } from '@pavior/contract'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Declaration } from '../ports.ts'
import { causesOf } from './causes.ts'
import { parseYaml } from './yaml.ts'

/** What people set elsewhere (`pavior config`, `scale`, `restart`) or the platform fills in is not the manifest's. */
const notDeclarable = ['config', 'scale', 'restart', 'declaredBy'] as const

const Manifest = Type.Object(
  { name: Type.Optional(Type.String({ maxLength: 40 })), ...Type.Omit(AppSpec, [...notDeclarable]).properties },
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
  const { name, ...spec } = content as { name?: string } & Partial<AppSpec>
  return { declaredBy: 'pavior.yaml', ...(name === undefined ? {} : { name }), spec }
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
