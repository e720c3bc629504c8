/** What is wrong with an instance or a task, in words for a tired person. Pure. */
import { errorLine, fail, type ErrorObject, type Exit, type Limits } from '@pavior/contract'
import type { ListeningAddress } from './listening.ts'
import type { ProbeResult } from './probe.ts'
import type { RunEnd } from './run/run.ts'

export interface Subject {
  /** Name of the instance; also of its log. */
  instance: string
  team: string
  app: string
  process: string
  release: number
  environment: string
}

/** `checkout v24`, or `checkout's worker v24`. */
export function nameOf(subject: Subject): string {
  return `${subject.app}${subject.process === 'web' ? '' : `'s ${subject.process}`} v${subject.release}`
}

/** Why a start ended by itself. `ranMs` is how long it ran. */
export function exitProblem(
  subject: Subject,
  end: RunEnd,
  context: { command: string[]; limits: Limits; ranMs: number; lastLines: string[]; wasHealthy: boolean },
): ErrorObject {
  const name = nameOf(subject)
  const facts = { ...subject, ...exitFacts(end.exit), lastLines: context.lastLines }
  const more = logCommand(subject)
  if (end.neverRan) return { ...startProblem(name, end, context.command, context.lastLines), facts, more }
  if (end.exit.outOfMemory) {
    return fail('OUT_OF_MEMORY', {
      message: `${name} was killed because it used more than its ${formatBytes(context.limits.memoryBytes)} of memory.`,
      facts: { ...facts, memoryBytes: context.limits.memoryBytes },
      more,
    }).toObject()
  }
  const when = context.wasHealthy
    ? `after ${formatDuration(context.ranMs)}`
    : `after ${formatDuration(context.ranMs)}, before it was healthy`
  return fail('PROCESS_EXITED', {
    message: `${name} ${describeExit(end.exit)} ${when}.`,
    why: errorSentence(context.lastLines),
    fix: exitAdvice(subject, end.exit, context.lastLines),
    facts,
    more,
  }).toObject()
}

/** What to do about what it said last, the first that fits. */
const advice: [form: RegExp, fix: string][] = [
  [/EROFS|[Rr]ead-only file system/, 'Write to the directory that TMPDIR names: the files of an app are what was built, and nothing changes them.'],
  [/EADDRINUSE|[Aa]ddress already in use/, 'Listen on the port that the environment variable PORT names; it is free for this instance alone.'],
  [/Cannot find (module|package) '[^./]|ERR_MODULE_NOT_FOUND|ModuleNotFoundError|No module named|cannot load such file -- [^/]|ClassNotFoundException/, 'Add what it does not find to the dependencies of the app (not to those of development only), and deploy again.'],
  [/Cannot find module|can't open file|cannot load such file|Could not open input file/, 'Correct the file that the command of the process names, or make the build write it, and deploy again.'],
  [/ECONNREFUSED|[Cc]onnection refused|ENOTFOUND|getaddrinfo/, 'Look whether the address that it connects to is right for this environment (pavior config), and make the app wait for it instead of ending.'],
]

function exitAdvice({ app, process, release }: Subject, exit: Exit, lines: string[]): string {
  const said = errorLine(lines) ?? ''
  const known = advice.find(([form]) => form.test(said))?.[1]
  if (known) return known
  if (exit.code === 0) return `Make the command of ${process} run until it is told to stop: it ended as if its work were done. What runs once belongs into the process "release" or into pavior run.`
  const tried = said === '' ? `It said nothing: try its command with pavior run --app ${app}` : `Correct that and deploy again; everything it said is in pavior logs ${app} --release v${release}`
  return `${tried}.`
}

/** `exited with code 3`, `was ended by SIGSEGV`. */
export function describeExit(exit: Exit): string {
  return exit.signal ? `was ended by ${exit.signal}` : `exited with code ${exit.code ?? 'unknown'}`
}

/** The command never ran. */
export function startProblem(name: string, end: Pick<RunEnd, 'neverRan'>, command: string[], lastLines: string[] = []): ErrorObject {
  const [program = ''] = command
  const sentences = {
    'not found': {
      message: `${name} could not be started: the command ${program} was not found.`,
      fix: 'Correct the command, or install what it needs during the build.',
    },
    'not executable': {
      message: `${name} could not be started: ${program} may not be executed.`,
      fix: `Make it executable (git update-index --chmod=+x ${program}), or name the interpreter in the command.`,
    },
    sandbox: {
      message: `${name} could not be started: its sandbox could not be set up.`,
      fix: 'Look at the last log lines; a directory that it needs may be missing on this machine.',
    },
    limits: {
      message: `${name} could not be started: its cgroup refused it.`,
      fix: 'Look whether the cgroups of this machine are full or were changed.',
    },
  }
  return fail('START_FAILED', { ...sentences[end.neverRan ?? 'sandbox'], why: errorSentence(lastLines) }).toObject()
}

/** It runs but was not healthy in time. */
export function notHealthyProblem(
  subject: Subject,
  context: { port: number; path?: string; timeoutMs: number; last?: ProbeResult; listening: ListeningAddress[]; exposed?: number[]; lastLines: string[] },
): ErrorObject {
  const { port, last, listening, exposed = [] } = context
  const facts = { ...subject, port, listening, waitedMs: context.timeoutMs, lastLines: context.lastLines }
  const waited = formatDuration(context.timeoutMs)
  const more = logCommand(subject)
  if (last && !last.ok && last.why !== 'refused' && context.path !== undefined) {
    return fail('HEALTH_CHECK_FAILED', {
      message: `${nameOf(subject)} ${healthSentence(context.path, last)} for ${waited} after its start.`,
      facts: { ...facts, path: context.path, status: last.status },
      more,
    }).toObject()
  }
  return fail('PORT_NOT_BOUND', {
    message: `${nameOf(subject)} did not listen on PORT ${port} within ${waited}; ${instead(port, listening)}.`,
    ...portAdvice(port, listening, exposed),
    facts: { ...facts, boundPorts: [...new Set(listening.map((each) => each.port))], ...(exposed.length > 0 ? { exposedPorts: exposed } : {}) },
    more,
  }).toObject()
}

/** It was healthy and is not any more. */
export function failingProblem(
  subject: Subject,
  context: { path?: string; failures: number; last: ProbeResult; lastLines: string[] },
): ErrorObject {
  const sentence = context.path === undefined ? 'does not accept connections any more' : healthSentence(context.path, context.last)
  const status = context.last.ok ? undefined : context.last.status
  return fail('HEALTH_CHECK_FAILED', {
    message: `${nameOf(subject)} ${sentence}, ${context.failures} times in a row, so it is started again.`,
    facts: { ...subject, path: context.path, status, lastLines: context.lastLines },
    more: logCommand(subject),
  }).toObject()
}

function healthSentence(path: string, result: ProbeResult): string {
  if (result.ok) return `answered ${path}`
  if (result.why === 'status') return `answered ${path} with status ${result.status}`
  if (result.why === 'silent') return `did not answer ${path} in time`
  if (result.why === 'refused') return 'does not accept connections'
  return `did not answer ${path} with HTTP`
}

function instead(port: number, listening: ListeningAddress[]): string {
  if (listening.length === 0) return 'it listens on no port'
  const others = listening.filter((each) => each.port !== port)
  const places =
    others.length > 0
      ? [...new Set(others.map((each) => String(each.port)))]
      : listening.map((each) => `${formatHost(each.address)}:${each.port}`)
  return others.length > 0 ? `it listens on ${places.join(' and ')} instead` : `it listens on ${places.join(' and ')} only`
}

function portAdvice(port: number, listening: ListeningAddress[], exposed: number[]): { why: string; fix: string } {
  if (listening.some((each) => each.port === port)) {
    return { why: 'The platform reaches instances by IPv4 on 127.0.0.1.', fix: 'Listen on 0.0.0.0, or on all addresses.' }
  }
  if (exposed.length > 0) {
    return {
      why: `The Dockerfile says EXPOSE ${exposed.join(' ')}; here that is a hint only: the platform gives every instance its own port in the environment variable PORT.`,
      fix: `Listen on the port that PORT names, and on ${exposed[0]} where there is none: EXPOSE may stay.`,
    }
  }
  return {
    why: 'The platform gives every instance its own port in the environment variable PORT.',
    fix: 'Listen on the port that the environment variable PORT names.',
  }
}

function formatHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

function exitFacts(exit: Exit): Record<string, unknown> {
  return { code: exit.code, signal: exit.signal, outOfMemory: exit.outOfMemory }
}

function errorSentence(lines: string[]): string | undefined {
  const line = errorLine(lines)
  return line === undefined ? undefined : `It said: ${line.slice(0, 300)}`
}

function logCommand(subject: Subject): string {
  return `pavior logs ${subject.app} --release v${subject.release}`
}

export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`
  const seconds = durationMs / 1000
  return seconds < 120 ? `${Number(seconds.toFixed(1))} s` : `${Math.round(seconds / 60)} min`
}

export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`
}

/** A start that could not even be made. */
export function startFailure(subject: Subject, error: unknown): ErrorObject {
  const why = error instanceof Error ? error.message : String(error)
  return {
    code: 'START_FAILED',
    message: `${nameOf(subject)} could not be started.`,
    why,
    fix: 'Look at the log of the agent; something on this machine prevented it.',
  }
}

export function startTimeoutProblem(subject: Subject): ErrorObject {
  return {
    code: 'HEALTH_CHECK_FAILED',
    message: `${nameOf(subject)} was not healthy in time, so it is started again.`,
    fix: 'Look at its last log lines.',
  }
}
