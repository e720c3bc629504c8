/** The deploy itself, used by `pavior deploy` and by the first start. */
import { setTimeout as delay } from 'node:timers/promises'
import { fail, isPaviorError, PaviorError, type DeployProgress, type DeployResult, type ErrorObject, type Resource } from '@pavior/contract'
import type { Api } from './api.ts'
import { seconds, size, type Output } from './output.ts'
import { packDirectory } from './pack.ts'

export interface DeployOptions {
  directory: string
  app: string
  team: string
  environment?: string
  strategy?: string
  buildOnly?: boolean
  /** Although the same revision was taken back from there. */
  allowPinned?: boolean
  /** Begin and return; do not wait for the end. */
  noWait?: boolean
  /** Show the build log as it is written. */
  showLog?: boolean
  signal?: AbortSignal
  /** Told the name of the build as soon as there is one. */
  onBuild?: (name: string) => void
}

/** What the server says in the end, with what only the sender knows. */
export interface Deployed extends DeployResult {
  build: string
  durations: DeployResult['durations'] & { upload: number; total: number }
}

/** Rollout steps are told as one line. */
const rolloutSteps = new Set(['gates', 'release process', 'start', 'trial', 'complete', 'switch', 'watch', 'restore', 'drain'])

export async function deploy(api: Api, out: Output, options: DeployOptions): Promise<Deployed> {
  const { directory, app, team, environment, strategy, buildOnly, allowPinned, noWait } = options
  const began = Date.now()
  const { files, bytes, stream } = await packDirectory(directory)
  const search = new URLSearchParams({ ...(environment === undefined ? {} : { environment }), ...(strategy === undefined ? {} : { strategy }), ...(buildOnly ? { buildOnly: 'true' } : {}), ...(allowPinned ? { allowPinned: 'true' } : {}) })
  const build = await api.json<Resource>({
    method: 'POST',
    path: `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/source?${search}`,
    stream,
    type: 'application/gzip',
    signal: options.signal,
  })
  const upload = Date.now() - began
  const { name } = build.metadata
  options.onBuild?.(name)
  line(out, '✔', 'upload', `${files} files, ${size(bytes)}`, upload)
  const target = String((build.spec as { environment?: string }).environment ?? '')
  if (noWait) return { app, team, ...(target ? { environment: target } : {}), build: name, durations: { upload, total: Date.now() - began } }
  const { result, error } = await follow(api, out, `/v1/teams/${encodeURIComponent(team)}/builds/${encodeURIComponent(name)}/progress`, options)
  if (error) throw new PaviorError(error.code, { ...error, more: error.more ?? `pavior logs --build ${name}` })
  return { ...result!, build: name, durations: { ...result!.durations, upload, total: Date.now() - began } }
}

/** How long a server that went away in the middle is waited for. */
const patienceMs = 30_000
const askAgainMs = 300

/** Every record once: when the server is started again on the way, its stream begins anew and what was told is left out. */
async function* records(api: Api, path: string, signal: AbortSignal | undefined): AsyncGenerator<DeployProgress> {
  const toldSteps = new Set<string>()
  const toldLines = new Map<string, number>()
  let deadline = Date.now() + patienceMs
  for (;;) {
    let problem: unknown
    const lines = new Map<string, number>()
    try {
      for await (const record of api.lines<DeployProgress>({ path, signal })) {
        deadline = Date.now() + patienceMs
        if (record.type === 'log') {
          const number = (lines.get(record.step) ?? 0) + 1
          lines.set(record.step, number)
          if (number <= (toldLines.get(record.step) ?? 0)) continue
          toldLines.set(record.step, number)
        } else if (record.type === 'step') {
          const step = `${record.within ?? ''}/${record.name}/${record.state}`
          if (toldSteps.has(step)) continue
          toldSteps.add(step)
        }
        yield record
        if (record.type === 'result' || record.type === 'error') return
      }
    } catch (error) {
      const { name, code } = error as { name?: string; code?: string }
      if (name === 'AbortError' || (isPaviorError(error) && code !== 'SERVER_UNREACHABLE' && code !== 'DATABASE_UNAVAILABLE')) throw error
      problem = error
    }
    if (Date.now() > deadline) throw fail('SERVER_UNREACHABLE', { message: 'The server stopped telling about the deploy; it goes on.', fix: 'Look at it with `pavior get builds` and `pavior get deployments`.' }, { cause: problem })
    await delay(askAgainMs, undefined, { signal })
  }
}

/** Prints progress records until the end. */
export async function follow(api: Api, out: Output, path: string, { showLog, signal }: Pick<DeployOptions, 'showLog' | 'signal'>): Promise<{ result?: DeployResult; error?: ErrorObject }> {
  let artifact = ''
  const trial: { share?: string; text: string } = { text: '' }
  let policy: string | undefined
  const rollout: { ms: number; message?: string } = { ms: 0 }
  for await (const record of records(api, path, signal)) {
    if (record.type === 'log' && showLog !== false) out.progress(out.paint('dim', `    ${record.line}`))
    if (record.type === 'step') {
      if (record.within !== undefined) {
        if (record.name === 'policy') policy = record.message
        else if (record.state === 'running') out.live(`  ${out.paint('dim', '⠿')} ${record.within.padEnd(9)} ${record.name}`)
      } else if (rolloutSteps.has(record.name)) {
        rollout.ms += record.ms ?? 0
        if (record.state === 'running') out.live(`  ${out.paint('dim', '⠿')} rollout   ${record.message ?? record.name}`)
      } else if (record.name === 'build' || record.name === 'release') {
        line(out, record.state === 'failed' ? '✖' : '✔', record.name, record.message ?? '', record.ms)
        if (record.name === 'build' && policy !== undefined) tellPolicy(out, policy)
      }
    }
    if (record.type === 'state' && record.about === 'waits') out.progress(`  ${out.paint('yellow', '…')} ${'waits'.padEnd(9)} ${record.text}`)
    if (record.type === 'state' && record.about === 'incident') out.progress(`  ${out.paint('yellow', '!')} ${'incident'.padEnd(9)} ${record.text}`)
    if (record.type === 'state' && record.about === 'trial') {
      const share = record.text.split(':')[0]!
      // The last word on each share stays on the screen.
      if (trial.share !== undefined && trial.share !== share) out.progress(`  ${out.paint('green', '✔')} ${'trial'.padEnd(9)} ${trial.text}`)
      Object.assign(trial, { share, text: record.text })
      out.live(`  ${out.paint('dim', '⠿')} ${'trial'.padEnd(9)} ${record.text}`)
    }
    if (record.type === 'error') return { error: record.error, result: record.result }
    if (record.type === 'result') {
      artifact = record.result.artifact ?? ''
      if (trial.text !== '') out.progress(`  ${out.paint('green', '✔')} ${'trial'.padEnd(9)} ${trial.text}`)
      if (record.result.release) line(out, '✔', 'rollout', artifact ? `${artifact.slice(0, 19)}…` : '', record.result.durations.rollout)
      return { result: record.result }
    }
  }
  return {}
}

const shownWarnings = 3

/** How many rules were asked, and what the first of them warn of. */
function tellPolicy(out: Output, message: string): void {
  const [summary = '', ...warnings] = message.split('\n')
  line(out, '✔', 'policy', summary, undefined)
  for (const warning of warnings.slice(0, shownWarnings)) out.progress(`    ${out.paint('yellow', 'warning')} ${warning}`)
  if (warnings.length > shownWarnings) out.progress(`    ${warnings.length - shownWarnings} more: pavior policy findings`)
}

function line(out: Output, mark: string, name: string, text: string, ms: number | undefined): void {
  const time = ms === undefined ? '' : seconds(ms)
  out.progress(`  ${mark === '✖' ? out.paint('red', mark) : out.paint('green', mark)} ${name.padEnd(9)} ${text.padEnd(34)} ${time}`.trimEnd())
}
