/** Pure: which builder, what decides whether a build may be reused, and what a build does next. */
import { createHash } from 'node:crypto'
import type { BuildStatus, ErrorObject, Step, TaskStatus, Toolchain } from '@pavior/contract'
import { errorCatalogue, fail } from '@pavior/contract'
import type { Builder, BuildPlan, BuildStep, SourceFacts } from './ports.ts'

/** A version in the words of a source is shown, not understood. */
const longestAsked = 200

export interface Chosen {
  builder: Builder
  why: string
}

/** The first that recognises the source, in the order given; the one that the settings name is asked for nothing. */
export function chooseBuilder(builders: readonly Builder[], source: SourceFacts): Chosen {
  const { builder: wanted } = source.settings
  if (wanted !== undefined) {
    const builder = builders.find(({ name }) => name === wanted)
    if (!builder) throw fail('NOT_DETECTED', { message: `There is no builder "${wanted}".`, fix: `Use one of: ${builders.map(({ name }) => name).join(', ')}.` })
    return { builder, why: 'build.builder in the manifest' }
  }
  for (const builder of builders) {
    const why = builder.detect(source)
    if (why !== undefined) return { builder, why }
  }
  throw fail('NOT_DETECTED', {
    message: 'No builder recognises this source.',
    why: source.paths.length === 0 ? 'It holds no file.' : `It holds ${source.paths.slice(0, 8).join(', ')}${source.paths.length > 8 ? ' and more' : ''}.`,
    fix: 'Add a package.json, requirements.txt, pyproject.toml, go.mod, pom.xml, Cargo.toml, Gemfile, composer.json, index.html, Dockerfile, or a Procfile with a line "web: <command>".',
  })
}

/** Raised when the same inputs would give another artifact. */
const buildVersion = 1

/** Everything that decides what comes out. */
export function inputsOf(sourceDigest: string, builder: string, source: SourceFacts, plan: BuildPlan): string {
  const tools = [...plan.tools, ...plan.runtimeTools].map(({ name, version }) => `${name}@${version}`)
  return createHash('sha256')
    .update(JSON.stringify([buildVersion, sourceDigest, builder, source.settings, tools, plan.steps, plan.env, plan.runtimeEnv, plan.output ?? '', plan.omit ?? []]))
    .digest('hex')
}

export interface StepOutcome {
  step: BuildStep
  task: TaskStatus
  /** Last lines of the log. */
  lastLines: string[]
}

/** 128 + SIGXFSZ, as a shell reports a command that wrote a file beyond its limit. */
const exitOfFileLimit = 153

/** What a failed step means for the person who pushed. */
export function problemOfStep({ step, task, lastLines }: StepOutcome, limits: { timeoutMs: number; memoryBytes: number; diskBytes: number }): ErrorObject {
  const state = 'Nothing was deployed; what served before goes on serving.'
  const tail = { facts: { step: step.name, exit: task.exit, lastLines } }
  const known = task.problem?.code
  const problem = (code: ErrorObject['code'], message: string, more: Partial<ErrorObject> = {}): ErrorObject => ({ code, message, fix: errorCatalogue[code].fix, state, ...tail, ...more })
  if (known === 'OUT_OF_MEMORY' || task.exit?.outOfMemory) return problem('BUILD_OUT_OF_MEMORY', `The build step "${step.name}" used more than ${Math.round(limits.memoryBytes / 1024 / 1024)} MiB of memory.`)
  if (known === 'BUILD_TIMEOUT') return problem('BUILD_TIMEOUT', `The build step "${step.name}" did not end within ${Math.round(limits.timeoutMs / 1000)} s.`)
  if (known === 'BUILD_DISK_FULL') return problem('BUILD_DISK_FULL', `The build step "${step.name}" wrote more than ${Math.round(limits.diskBytes / 1024 / 1024)} MiB.`)
  if (lastLines.some((line) => /ENOSPC|No space left on device|Disk quota exceeded/i.test(line))) return problem('BUILD_DISK_FULL', `The disk was full during the build step "${step.name}".`)
  if (task.exit?.code === exitOfFileLimit || lastLines.some((line) => /EFBIG|File too large|File size limit exceeded/i.test(line))) return problem('BUILD_DISK_FULL', `The build step "${step.name}" wrote a file of more than ${Math.round(limits.diskBytes / 1024 / 1024)} MiB.`)
  if (known === 'CANCELED') return problem('BUILD_CANCELED', 'The build was cancelled.')
  if (known === 'START_FAILED') return problem('BUILD_FAILED', `The build step "${step.name}" could not be started.`, { why: task.problem!.why ?? task.problem!.message })
  if (task.problem && !task.exit) return problem('BUILD_FAILED', `The build step "${step.name}" was lost.`, { why: task.problem.message, fix: 'Deploy again.' })
  const reason = task.exit?.code === undefined ? undefined : step.explain?.(lastLines)
  const host = reason === undefined ? unreachableHost(lastLines) : undefined
  if (host !== undefined) {
    return problem('BUILD_FAILED', `The build step "${step.name}" could not reach ${host}.`, {
      why: tellingLine(lastLines),
      fix: 'See that this machine reaches it, or start the server with HTTPS_PROXY or the mirror of the package manager in its environment (docs/builders.md).',
    })
  }
  const how = task.exit?.signal ? `was ended by ${task.exit.signal}` : `exited with code ${task.exit?.code}`
  const { code = 'BUILD_FAILED', facts, ...more } = { why: tellingLine(lastLines), ...reason }
  return problem(code, `The build step "${step.name}" ${how}.`, { ...more, facts: { ...tail.facts, ...facts } })
}

/** How package managers say that a name leads nowhere; the host is the first group. */
const namesOfNobody = [
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /[Cc]ould not reach host ([\w.-]+?)\.?(?:\s|$)/,
  /[Cc]ould not resolve host:? '?([\w.-]+)/,
  /UnknownHostException: ([\w.-]+)/,
  /getaddrinfo for ([\w.-]+) failed/,
  /TCP connection to ([\w.-]+):\d+ \(getaddrinfo/,
  /lookup ([\w.-]+)(?: on [^:]+:\d+)?: (?:no such host|server misbehaving|Temporary failure)/,
  /host='([\w.-]+)'.*(?:Name or service not known|Temporary failure in name resolution)/,
  /([\w-]+(?:\.[\w-]+)+)(?::\d+)?: (?:Name or service not known|Temporary failure in name resolution)/,
]

/** The registry that a step did not find, when that is what its log says. */
export function unreachableHost(lines: string[]): string | undefined {
  for (const line of lines) {
    for (const pattern of namesOfNobody) {
      const host = pattern.exec(line)?.[1]
      if (host !== undefined) return host
    }
  }
  return undefined
}

const telling = /error|fail|cannot|could not|couldn't|not found|no such|denied|unable|unknown|exception|invalid|missing/i
/** Frames of a stack, and what tools say after they have said what is wrong. */
const afterwards = /^\s*at |complete log|^\[ERROR\]\s*($|\[Help|To see|Re-run|For more|After correcting)|^> (Run with|Get more)/

/** The last line that says what is wrong; the very last one where none does. */
function tellingLine(lines: string[]): string | undefined {
  const gradle = lines.indexOf('* What went wrong:')
  if (gradle >= 0) return lines[gradle + 1]?.trim().slice(0, 500)
  const said = lines.filter((line) => line.trim() !== '' && !afterwards.test(line))
  return (said.findLast((line) => telling.test(line)) ?? said.at(-1))?.trim().slice(0, 500)
}

export function startStep(steps: Step[], name: string, now: string): Step[] {
  return [...steps.filter((step) => step.name !== name), { name, state: 'running', startedAt: now }]
}

export function endStep(steps: Step[], name: string, state: 'done' | 'failed' | 'skipped', now: string, message?: string): Step[] {
  const before = steps.find((step) => step.name === name)
  const ended: Step = { name, state, startedAt: before?.startedAt ?? now, finishedAt: now, ...(message === undefined ? {} : { message }) }
  return [...steps.filter((step) => step.name !== name), ended]
}

/** What is noted of the toolchain of a build. Pure. */
export function toolchainOf({ toolchain }: Pick<Builder, 'toolchain'>, source: SourceFacts, { tools, runtimeTools }: Pick<BuildPlan, 'tools' | 'runtimeTools'>): Toolchain | undefined {
  const known = toolchain?.(source)
  if (known === undefined) return undefined
  const version = [...runtimeTools, ...tools].find(({ name }) => name === known.name)?.version
  const asked = known.asked?.trim().slice(0, longestAsked)
  return { name: known.name, ...(version === undefined ? {} : { version }), ...(asked ? { asked } : {}) }
}

/** What another build with the same inputs may take over. */
export function reusable({ builder, summary, artifact, processes, env, mounts, bin, image, declared }: BuildStatus): Pick<BuildStatus, 'builder' | 'summary' | 'artifact' | 'processes' | 'env' | 'mounts' | 'bin' | 'image' | 'declared'> {
  return { builder, summary, artifact, processes, env, mounts, bin, ...(image === undefined ? {} : { image }), declared }
}

/** A build that has a later one for the same app and environment is not worth its minutes. */
export function isSuperseded(build: { app: string; environment?: string; number: number }, others: { app: string; environment?: string; number: number }[]): boolean {
  return others.some((other) => other.app === build.app && other.environment === build.environment && other.number > build.number)
}

/** What policies said, in a line, and a line for every warning. */
export function policyMessage(rules: number, warnings: string[]): string {
  const count = warnings.length === 0 ? '' : `, ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`
  return [`${rules} ${rules === 1 ? 'rule' : 'rules'}${count}`, ...warnings].join('\n')
}
