/** Every kind, generically: `get`, `describe`, `apply`, `delete`, `edit`, `explain`. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { parseAllDocuments, parse, stringify } from 'yaml'
import { fail, type Resource } from '@pavior/contract'
import type { Api } from '../api.ts'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

interface ApiResource {
  name: string
  singularName: string
  kind: string
  namespaced: boolean
  shortNames?: string[]
}

interface Table {
  columnDefinitions: { name: string; priority: number }[]
  rows: { cells: unknown[] }[]
}

interface GetFlags {
  output?: string
  selector?: string
  fieldSelector?: string
  allTeams?: boolean
}

async function kindsOf(api: Api): Promise<ApiResource[]> {
  const { resources } = await api.json<{ resources: ApiResource[] }>({ path: '/apis/pavior.dev/v1' })
  return resources.filter(({ name }) => !name.includes('/'))
}

export async function findKind(api: Api, word: string): Promise<ApiResource> {
  const kinds = await kindsOf(api)
  const lower = word.toLowerCase()
  const found = kinds.find(({ name, singularName, kind, shortNames }) => name === lower || singularName === lower || kind.toLowerCase() === lower || shortNames?.includes(lower))
  if (found) return found
  throw fail('NOT_FOUND', { message: `There is no kind "${word}".`, fix: `Use one of: ${kinds.map(({ name }) => name).join(', ')}.` })
}

/** `app/shop` or `app shop`. */
function splitTarget(words: string[]): { kind: string; names: string[] } {
  const [first = '', ...rest] = words
  const slash = first.indexOf('/')
  return slash < 0 ? { kind: first, names: rest } : { kind: first.slice(0, slash), names: [first.slice(slash + 1), ...rest] }
}

export function addResources(program: Command, context: () => Context): void {
  program
    .command('get <kind> [name...]')
    .description('List resources of a kind, or show one.')
    .option('-o, --output <format>', 'yaml, json, name or wide')
    .option('-l, --selector <labels>', 'only with these labels: tier=1,env!=test')
    .option('--field-selector <fields>', 'only with these fields: spec.app=shop')
    .option('-A, --all-teams', 'of all teams that you can see')
    .addHelpText('before', 'Example:\n  pavior get apps\n  pavior get deployment checkout-api-production-3 -o yaml\n')
    .action(async (kind: string, names: string[], flags: GetFlags) => get(context(), splitTarget([kind, ...names]), flags))
  program
    .command('describe <kind> [name]')
    .description('Show one resource with what happened to it.')
    .addHelpText('before', 'Example:\n  pavior describe app checkout-api\n')
    .action(async (kind: string, name: string | undefined) => describe(context(), splitTarget([kind, ...(name === undefined ? [] : [name])])))
  program
    .command('apply')
    .description('Create or change resources from a file.')
    .requiredOption('-f, --filename <file>', 'YAML or JSON with one or more resources; - for standard input')
    .option('--dry-run', 'check, but change nothing')
    .option('--force', 'take over fields that another manager owns')
    .addHelpText('before', 'Example:\n  pavior apply -f team.yaml\n')
    .action(async (flags: { filename: string; dryRun?: boolean; force?: boolean }) => apply(context(), flags))
  program
    .command('delete <kind> <name...>')
    .description('Delete resources.')
    .addHelpText('before', 'Example:\n  pavior delete environment staging\n')
    .action(async (kind: string, names: string[]) => {
      const { api, out, team } = context()
      const target = splitTarget([kind, ...names])
      const found = await findKind(api, target.kind)
      for (const name of target.names) {
        await api.json({ method: 'DELETE', path: api.path(found.name, found.namespaced ? team : undefined, name) })
        out.progress(`${found.singularName}/${name} deleted`)
      }
      out.result({ kind: found.kind, deleted: target.names }, '')
    })
  program
    .command('edit <kind> [name]')
    .description('Change a resource in your editor.')
    .addHelpText('before', 'Example:\n  EDITOR=vim pavior edit app checkout-api\n')
    .action(async (kind: string, name: string | undefined) => edit(context(), splitTarget([kind, ...(name === undefined ? [] : [name])])))
  program
    .command('explain <path>')
    .description('Say what a kind or a field means.')
    .addHelpText('before', 'Example:\n  pavior explain app.spec.processes\n')
    .action(async (path: string) => explain(context(), path))
}

async function get({ api, out, team }: Context, { kind, names }: { kind: string; names: string[] }, flags: GetFlags): Promise<void> {
  const found = await findKind(api, kind)
  const place = found.namespaced && !flags.allTeams ? team : undefined
  const search = new URLSearchParams({ ...(flags.selector ? { labelSelector: flags.selector } : {}), ...(flags.fieldSelector ? { fieldSelector: flags.fieldSelector } : {}) })
  const structured = out.json || ['yaml', 'json', 'name'].includes(flags.output ?? '')
  if (structured) {
    const items = names.length > 0 ? await Promise.all(names.map((name) => api.get(found.name, place, name))) : await api.list(found.name, place, search.size > 0 ? `?${search}` : '')
    const value = names.length === 1 ? items[0] : items
    if (flags.output === 'name') return out.result(value, items.map(({ metadata }) => `${found.singularName}/${metadata.name}`).join('\n'))
    if (flags.output === 'yaml' && !out.json) return out.result(value, items.map((item) => stringify(item).trimEnd()).join('\n---\n'))
    return out.result(value, JSON.stringify(value, null, 2))
  }
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
  const paths = names.length > 0 ? names.map((name) => api.path(found.name, place, name)) : [`${api.path(found.name, place)}?${search}`]
  const tables = await Promise.all(paths.map((path) => api.json<Table>({ path, headers: accept })))
  const columns = tables[0]!.columnDefinitions.map((column, index) => ({ ...column, index })).filter(({ priority }) => flags.output === 'wide' || !priority)
  const rows = tables.flatMap((one) => one.rows.map(({ cells }) => columns.map(({ index }) => String(cells[index] ?? '-'))))
  out.result(rows, () => (rows.length === 0 ? `No ${found.name}${place === undefined ? '' : ` in team ${place}`}.` : table(columns.map(({ name }) => name.toUpperCase()), rows)))
}

async function describe({ api, out, team }: Context, { kind, names }: { kind: string; names: string[] }): Promise<void> {
  const found = await findKind(api, kind)
  const name = names[0]
  if (name === undefined) throw fail('BAD_REQUEST', { message: `Which ${found.singularName}?`, fix: `pavior describe ${found.singularName} <name>` })
  const resource = await api.get(found.name, found.namespaced ? team : undefined, name)
  const { managedFields: _, ...metadata } = resource.metadata
  const { items } = await api.json<{ items: { type: string; reason: string; message: string; count: number; lastTimestamp: string }[] }>({
    path: `/api/v1/namespaces/${found.namespaced ? team : 'default'}/events?fieldSelector=${encodeURIComponent(`involvedObject.uid=${metadata.uid}`)}`,
  })
  out.result({ ...resource, events: items }, () => {
    const events = items.length === 0 ? 'none' : table(['LAST SEEN', 'TYPE', 'REASON', 'COUNT', 'MESSAGE'], items.toSorted((one, other) => (one.lastTimestamp < other.lastTimestamp ? -1 : 1)).map((event) => [event.lastTimestamp, event.type, event.reason, String(event.count ?? 1), event.message]))
    return `${stringify({ kind: resource.kind, metadata, spec: resource.spec, status: resource.status }).trimEnd()}\nevents:\n${events.replaceAll(/^/gm, '  ')}`
  })
}

async function readDocuments(filename: string): Promise<Resource[]> {
  const text = filename === '-' ? await readStandardInput() : await readFile(filename, 'utf8').catch((error: Error) => {
    throw fail('BAD_REQUEST', { message: `${filename} cannot be read: ${error.message}` })
  })
  const documents = parseAllDocuments(text)
  return documents.flatMap((document) => {
    const problem = document.errors[0]
    if (problem) throw fail('BAD_REQUEST', { message: `${filename} is not valid YAML: ${problem.message.split('\n')[0]}` })
    const value = document.toJS({ maxAliasCount: 50 }) as (Resource & { items?: Resource[] }) | null
    return value === null ? [] : (value.items ?? [value])
  })
}

async function readStandardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text
}

async function apply({ api, out, team }: Context, { filename, dryRun, force }: { filename: string; dryRun?: boolean; force?: boolean }): Promise<void> {
  const applied: { kind: string; name: string; result: string }[] = []
  for (const document of await readDocuments(filename)) {
    if (!document.kind || !document.metadata?.name) throw fail('BAD_REQUEST', { message: `A document in ${filename} has no kind or no metadata.name.` })
    const kind = await findKind(api, document.kind)
    const place = kind.namespaced ? (document.metadata.namespace ?? team) : undefined
    const path = api.path(kind.name, place, document.metadata.name)
    const before = await api.json<Resource>({ path }).catch((error: { code?: string }) => {
      if (error.code !== 'NOT_FOUND') throw error
      return undefined
    })
    const search = new URLSearchParams({ fieldManager: 'pavior', fieldValidation: 'Strict', force: String(force ?? false), ...(dryRun ? { dryRun: 'All' } : {}) })
    const after = await api.json<Resource>({ method: 'PATCH', path: `${path}?${search}`, body: document, type: 'application/apply-patch+yaml' })
    const result = before === undefined ? 'created' : before.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'configured'
    applied.push({ kind: kind.kind, name: document.metadata.name, result })
    out.progress(`${kind.singularName}/${document.metadata.name} ${result}${dryRun ? ' (dry run)' : ''}`)
  }
  out.result(applied, '')
}

async function edit({ api, out, team }: Context, { kind, names }: { kind: string; names: string[] }): Promise<void> {
  const found = await findKind(api, kind)
  const name = names[0]
  if (name === undefined) throw fail('BAD_REQUEST', { message: `Which ${found.singularName}?` })
  const path = api.path(found.name, found.namespaced ? team : undefined, name)
  const resource = await api.json<Resource>({ path })
  const { managedFields: _, ...metadata } = resource.metadata
  const directory = await mkdtemp(join(tmpdir(), 'pavior-edit-'))
  const file = join(directory, `${name}.yaml`)
  try {
    const text = stringify({ apiVersion: resource.apiVersion, kind: resource.kind, metadata, spec: resource.spec })
    await writeFile(file, text, { mode: 0o600 })
    const editor = process.env.VISUAL ?? process.env.EDITOR ?? 'vi'
    const { status, error } = spawnSync('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    if (error || status !== 0) throw fail('BAD_REQUEST', { message: `The editor "${editor}" ended with an error; nothing was changed.`, fix: 'Set EDITOR to your editor.' })
    const edited = await readFile(file, 'utf8')
    if (edited === text) return out.result(resource, 'Nothing was changed.')
    const next = await api.json<Resource>({ method: 'PUT', path: `${path}?fieldValidation=Strict`, body: parse(edited) })
    out.result(next, `${found.singularName}/${name} edited`)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface Schema {
  description?: string
  type?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  required?: string[]
  $ref?: string
  allOf?: Schema[]
}

async function explain({ api, out }: Context, path: string): Promise<void> {
  const [word = '', ...fields] = path.split('.')
  const kind = await findKind(api, word)
  const { components } = await api.json<{ components: { schemas: Record<string, Schema> } }>({ path: '/openapi/v3/apis/pavior.dev/v1' })
  const resolve = (schema: Schema): Schema => {
    const inner = schema.$ref ?? schema.allOf?.[0]?.$ref
    return inner ? { ...components.schemas[inner.split('/').at(-1)!]!, ...(schema.description ? { description: schema.description } : {}) } : schema
  }
  const name = Object.keys(components.schemas).find((candidate) => candidate.split('.').at(-1) === kind.kind)
  let schema = name === undefined ? undefined : resolve(components.schemas[name]!)
  for (const field of fields) {
    const inner: Schema | undefined = schema?.properties?.[field] ?? (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : schema?.items && resolve(schema.items).properties?.[field])
    if (!inner) throw fail('NOT_FOUND', { message: `${kind.kind} has no field "${fields.join('.')}".`, fix: `See pavior explain ${word}.` })
    schema = resolve(inner)
  }
  out.result(schema, () => explained(kind.kind, fields, schema!, resolve))
}

function explained(kind: string, fields: string[], schema: Schema, resolve: (schema: Schema) => Schema): string {
  const inner = schema.properties ?? (schema.items && resolve(schema.items).properties) ?? (typeof schema.additionalProperties === 'object' ? resolve(schema.additionalProperties).properties : undefined)
  const rows = Object.entries(inner ?? {}).map(([name, field]) => {
    const whole = resolve(field)
    return `  ${name}  <${typeName(whole)}>${schema.required?.includes(name) ? '  required' : ''}\n    ${whole.description ?? ''}`
  })
  return [`${[kind, ...fields].join('.')}  <${typeName(schema)}>`, '', schema.description ?? '', ...(schema.enum ? [`One of: ${schema.enum.join(', ')}.`] : []), ...(rows.length > 0 ? ['', 'Fields:', ...rows] : [])].join('\n')
}

function typeName({ type, items, additionalProperties, properties }: Schema): string {
  if (type === 'array') return `list of ${items?.type ?? 'objects'}`
  if (type === 'object' && !properties && additionalProperties) return 'map'
  return type ?? 'object'
}
