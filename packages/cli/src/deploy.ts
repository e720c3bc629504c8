/** The deploy itself, used by `pavior deploy` and by the first start. */
import { PaviorError, type ErrorObject, type Resource } from '@pavior/contract'
import type { Api } from './api.ts'
import { seconds, size, type Output } from './output.ts'
import { packDirectory } from './pack.ts'

export interface DeployOptions {
  directory: string
  app: string
  team: string
  environment?: string
  buildOnly?: boolean
  /** Begin and return; do not wait for the end. */
  noWait?: boolean
  /** Show the build log as it is written. */
  showLog?: boolean
  signal?: AbortSignal
  /** Told the name of the build as soon as there is one. */
  onBuild?: (name: string) => void
}

export interface DeployResult {
  app: string
  team: string
  environment?: string
  release?: string
  url?: string
  artifact?: string
  build?: string
  /** Milliseconds. */
  durations: { upload: number; build?: number; rollout?: number; total: number }
}

type Record =
  | { type: 'step'; name: string; state: string; message?: string; ms?: number }
  | { type: 'log'; step: string; line: string }
  | { type: 'result'; result: DeployResult }
  | { type: 'error'; error: ErrorObject; result?: DeployResult }

/** Rollout steps are told as one line. */
const rolloutSteps = new Set(['release process', 'start', 'switch', 'drain'])

export async function deploy(api: Api, out: Output, options: DeployOptions): Promise<DeployResult> {
  const { directory, app, team, environment, buildOnly, noWait } = options
  const began = Date.now()
  const { files, bytes, stream } = await packDirectory(directory)
  const search = new URLSearchParams({ ...(environment === undefined ? {} : { environment }), ...(buildOnly ? { buildOnly: 'true' } : {}) })
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

/** Prints progress records until the end. */
export async function follow(api: Api, out: Output, path: string, { showLog, signal }: Pick<DeployOptions, 'showLog' | 'signal'>): Promise<{ result?: DeployResult; error?: ErrorObject }> {
  let artifact = ''
  const rollout: { ms: number; message?: string } = { ms: 0 }
  for await (const record of api.lines<Record>({ path, signal })) {
    if (record.type === 'log' && showLog !== false) out.progress(out.paint('dim', `    ${record.line}`))
    if (record.type === 'step') {
      if (rolloutSteps.has(record.name)) {
        rollout.ms += record.ms ?? 0
        if (record.state === 'running') out.live(`  ${out.paint('dim', '⠿')} rollout   ${record.message ?? record.name}`)
      } else if (record.name === 'build' || record.name === 'release') line(out, record.state === 'failed' ? '✖' : '✔', record.name, record.message ?? '', record.ms)
      else if (record.state === 'running') out.live(`  ${out.paint('dim', '⠿')} build     ${record.name}`)
    }
    if (record.type === 'error') return { error: record.error, result: record.result }
    if (record.type === 'result') {
      artifact = record.result.artifact ?? ''
      if (record.result.release) line(out, '✔', 'rollout', artifact ? `${artifact.slice(0, 19)}…` : '', record.result.durations.rollout)
      return { result: record.result }
    }
  }
  throw new PaviorError('SERVER_UNREACHABLE', { message: 'The server stopped telling about the deploy; it goes on.', fix: 'Look at it with `pavior get builds` and `pavior get deployments`.' })
}

function line(out: Output, mark: string, name: string, text: string, ms: number | undefined): void {
  const time = ms === undefined ? '' : seconds(ms)
  out.progress(`  ${mark === '✖' ? out.paint('red', mark) : out.paint('green', mark)} ${name.padEnd(9)} ${text.padEnd(34)} ${time}`.trimEnd())
}
