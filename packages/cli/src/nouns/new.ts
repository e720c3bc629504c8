/** `new`: from a template to an app that is live. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { fail, PaviorError, withoutSecrets, type ErrorObject, type Resource, type TemplateRunProgress, type TemplateRunStatus } from '@pavior/contract'
import type { Context } from '../context.ts'
import { seconds, size, table } from '../output.ts'
import { nextQuestion, typeOfQuestion, valueOf, type Question, type TemplateDetails, type TemplateRow } from './template-types.ts'

interface NewFlags {
  set: string[]
  secret: string[]
  templateVersion?: string
  dryRun?: boolean
  wait: boolean
}

interface Preview {
  template: string
  version: string
  app?: string
  files: { path: string; size: number; executable: boolean; content?: string }[]
}

const collect = (value: string, all: string[]): string[] => [...all, value]

export function addNew(program: Command, context: () => Context): void {
  program
    .command('new [template]')
    .description('Make an app from a template: repository, code, first deployment, URL.')
    .option('-s, --set <name=value>', 'answer to a question; the rest is asked', collect, [])
    .option('--secret <name=value>', 'secret for the run, for example token=…; name alone reads the variable of that name', collect, [])
    .option('--template-version <version>', 'another version than the current one')
    .option('--dry-run', 'show the files and make nothing')
    .option('--no-wait', 'return as soon as the run has begun')
    .addHelpText('before', 'Example:\n  pavior new node-service --set name=checkout-api\n')
    .action(async (reference: string | undefined, flags: NewFlags) => {
      const here = context()
      const { api, out, team } = here
      const name = reference ?? (await chooseTemplate(here))
      const template = await readTemplate(here, name)
      if (template.deprecated) out.progress(`${template.name} is deprecated${template.deprecated.deadline ? ` until ${template.deprecated.deadline}` : ''}: ${template.deprecated.message}`)
      const secrets = secretsOf(flags.secret, here.environment)
      const { answers, secrets: typed } = withoutSecrets(template.parameters ?? [], await answer(here, template, flags.set, secrets))
      const sealed = { ...secrets, ...typed }
      const began = Date.now()
      const path = `/v1/teams/${encodeURIComponent(team)}/templates/${encodeURIComponent(template.name)}/runs`
      const body = { answers, templateTeam: template.team, ...(flags.templateVersion ? { version: flags.templateVersion } : {}), ...(Object.keys(sealed).length > 0 ? { secrets: sealed } : {}) }
      if (flags.dryRun) {
        const preview = await api.json<Preview>({ method: 'POST', path: `${path}?dryRun=All`, body })
        out.result(preview, () => `${fileTree(preview.files)}\n${preview.files.length} files of ${preview.template} ${preview.version}; nothing was made.`)
        return
      }
      out.progress(`${template.name} ${flags.templateVersion ?? template.version} → ${team}`)
      const run = await api.json<Resource>({ method: 'POST', path, body })
      if (!flags.wait) return out.result(run, run.metadata.name)
      const status = await followRun(here, run.metadata.name)
      const result = { run: run.metadata.name, app: (run.spec as { app?: string }).app, team, repository: status.repository, url: status.url, outputs: status.outputs, ms: Date.now() - began }
      if (status.repository) out.progress(`repository  ${status.repository}`)
      const { app } = result
      if (app && status.repository?.startsWith(here.endpoint.url)) out.progress(`code        mkdir ${app} && cd ${app} && pavior init --app ${app} && git pull pavior main`)
      out.progress(`${seconds(result.ms)} from Enter to live`)
      out.result(result, status.url ?? status.repository ?? run.metadata.name)
    })
}

export function readTemplate({ api }: Context, reference: string): Promise<TemplateDetails> {
  const [first = '', second] = reference.split('/')
  return api.json<TemplateDetails>({ path: second === undefined ? `/v1/templates/${encodeURIComponent(first)}` : `/v1/templates/${encodeURIComponent(second)}?team=${encodeURIComponent(first)}` })
}

async function chooseTemplate(here: Context): Promise<string> {
  const { items } = await here.api.json<{ items: TemplateRow[] }>({ path: '/v1/templates' })
  if (!process.stdin.isTTY) throw fail('BAD_REQUEST', { message: 'No template is named.', fix: `Name one of: ${items.map(({ name }) => name).join(', ')}.` })
  process.stderr.write(`${table(['', 'TEMPLATE', ''], items.map(({ name, description }, index) => [String(index + 1), name, (description ?? '').slice(0, 80)]))}\n`)
  const chosen = await ask('Which one? ')
  return items[Number(chosen) - 1]?.name ?? chosen
}

/** What `--set` leaves open is asked on a terminal, as far as it is due; elsewhere defaults hold and the server says what is missing. */
async function answer(here: Context, template: TemplateDetails, given: string[], secrets: Record<string, string>): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {}
  for (const pair of given) {
    const at = pair.indexOf('=')
    if (at < 1) throw fail('BAD_REQUEST', { message: `"${pair}" is not name=value.` })
    const name = pair.slice(0, at)
    answers[name] = valueOf(pair.slice(at + 1), typeOfQuestion(template, name))
  }
  if (!process.stdin.isTTY || here.flags.json) return answers
  const asked = new Set(Object.keys(secrets))
  for (let question = nextQuestion(template, answers, asked); question !== undefined; question = nextQuestion(template, answers, asked)) {
    await askQuestion(question, answers)
    // Nothing was said: its default holds, and is not asked for again.
    if (!(question.name in answers)) asked.add(question.name)
  }
  return answers
}

async function askQuestion({ name, title, description, type, enum: choices, default: fallback, required, hidden }: Question, answers: Record<string, unknown>): Promise<void> {
  if (description) process.stderr.write(`  ${description}\n`)
  for (;;) {
    const hint = choices ? ` (${choices.join(', ')})` : ''
    const given = await ask(`${title}${hint}${fallback === undefined ? '' : ` [${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}]`}: `, hidden)
    if (given !== '') answers[name] = valueOf(given, type)
    else if (fallback !== undefined) answers[name] = fallback
    if (given !== '' || fallback !== undefined || !required) return
  }
}

/** `hidden`: what is typed does not show. */
async function ask(question: string, hidden = false): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, ...(hidden ? { terminal: true } : {}) })
  try {
    if (hidden) process.stderr.write(question)
    const given = (await reader.question(hidden ? '' : question)).trim()
    if (hidden) process.stderr.write('\n')
    return given
  } finally {
    reader.close()
  }
}

function secretsOf(pairs: string[], environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      const name = at < 0 ? pair : pair.slice(0, at)
      const value = at < 0 ? environment[name] : pair.slice(at + 1)
      if (!value) throw fail('BAD_REQUEST', { message: `The secret "${name}" has no value.`, fix: `Write --secret ${name}=…, or set the variable ${name}.` })
      return [name, value]
    }),
  )
}

/** Prints the steps until the end; throws the problem of a run that did not succeed. */
export async function followRun({ api, out, team }: Context, name: string): Promise<TemplateRunStatus> {
  let end: TemplateRunStatus | undefined
  for await (const record of api.lines<TemplateRunProgress>({ path: `/v1/teams/${encodeURIComponent(team)}/templateruns/${encodeURIComponent(name)}/progress` })) {
    if (record.type === 'log') out.live(`  ${out.paint('dim', `    ${record.line.slice(0, 120)}`)}`)
    if (record.type === 'step') {
      const { state, name: title, message, startedAt, finishedAt } = record.step
      const time = startedAt && finishedAt ? seconds(Date.parse(finishedAt) - Date.parse(startedAt)) : ''
      if (state === 'running') out.live(`  ${out.paint('dim', '⠿')} ${title}`)
      else out.progress(`  ${{ done: out.paint('green', '✔'), failed: out.paint('red', '✖'), skipped: '-', undone: '↩', kept: '!', pending: ' ' }[state]} ${title.padEnd(34)} ${(message ?? '').slice(0, 80).padEnd(34)} ${time}`.trimEnd())
    }
    if (record.type === 'end') end = record.status
  }
  if (!end) throw fail('SERVER_UNREACHABLE', { message: 'The server stopped telling about the run; it goes on.', fix: `Look at it with: pavior get templateruns ${name}` })
  if (end.phase === 'Succeeded') return end
  const { code, ...details } = (end.problem ?? { code: 'INTERNAL', message: 'The run ended without a reason.', fix: 'Look at the server log.' }) as ErrorObject
  throw new PaviorError(code, { ...details, facts: { ...details.facts, run: name }, ...(end.phase === 'Stopped' ? { more: `pavior template resume ${name}` } : {}) })
}

function fileTree(files: Preview['files']): string {
  return table(['SIZE', 'FILE'], files.map(({ path, size: bytes, executable }) => [size(bytes), `${path}${executable ? ' *' : ''}`]))
}
