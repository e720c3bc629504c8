/** Pure: what a release freezes, and the instance sets that it asks for. */
import { createHash } from 'node:crypto'
import type { AppSpec, BuildStatus, Image, InstanceSetSpec, ProcessSpec, ReleaseSpec, Revision, RolloutSettings, SecretRef, Toolchain } from '@pavior/contract'

const defaults = { memory: '512Mi', cpu: 1, pids: 512, startTimeoutSeconds: 60, stopGraceSeconds: 10, drainTimeoutSeconds: 30 }
/** The process that runs once before traffic moves, as with Heroku. */
export const releaseProcess = 'release'
/** The process that gets traffic. */
export const webProcess = 'web'

const units: Record<string, number> = { '': 1, K: 1e3, M: 1e6, G: 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 }

/** `512Mi` → bytes. The form is checked by the schema. */
export function bytesOf(quantity: string): number {
  const match = /^([0-9.]+)(Ki|Mi|Gi|K|M|G)?$/.exec(quantity)
  return match ? Math.round(Number(match[1]) * units[match[2] ?? '']!) : 0
}

export interface Built {
  artifact: string
  build?: string
  revision?: Revision
  /** From the builder, at run time. */
  env: Record<string, string>
  processes: Record<string, ProcessSpec>
  mounts: string[]
  bin: string[]
  image?: Image
  toolchain?: Toolchain
}

export function builtFrom(name: string, revision: Revision, { artifact, env = {}, processes = {}, mounts = [], bin = [], image, toolchain }: BuildStatus): Built {
  return { artifact: artifact!, build: name, revision, env, processes, mounts, bin, ...(image === undefined ? {} : { image }), ...(toolchain === undefined ? {} : { toolchain }) }
}

/** Builder, then manifest, then configuration of the environment: later ones win. */
export function snapshot(app: string, spec: AppSpec, environment: string, built: Built, secrets: SecretRef[], version: number, reason: string): ReleaseSpec {
  return {
    app,
    version,
    artifact: built.artifact,
    ...(built.build === undefined ? {} : { build: built.build }),
    ...(built.revision === undefined ? {} : { revision: built.revision }),
    environment,
    env: { ...built.env, ...spec.env, ...spec.config?.[environment] },
    ...(secrets.length === 0 ? {} : { secrets }),
    processes: mergeProcesses(built.processes, spec.processes ?? {}),
    mounts: built.mounts,
    bin: built.bin,
    ...(built.image === undefined ? {} : { image: built.image }),
    ...(built.toolchain === undefined ? {} : { toolchain: built.toolchain }),
    reason,
  }
}

/** The same release with the secrets of now. */
export function withSecrets({ secrets: _, ...release }: ReleaseSpec, secrets: SecretRef[], version: number, reason: string): ReleaseSpec {
  return { ...release, ...(secrets.length === 0 ? {} : { secrets }), version, reason }
}

/** A secret wins over configuration of its name. */
function withoutSecrets({ env, secrets = [] }: Pick<ReleaseSpec, 'env' | 'secrets'>): Record<string, string> {
  const hidden = new Set(secrets.filter(({ as }) => as === 'env').map(({ key }) => key))
  return Object.fromEntries(Object.entries(env).filter(([key]) => !hidden.has(key)))
}

/** On a Deployment: the secrets that were in force when it was made. A later difference is a secret that changed since. */
export const secretsAnnotation = 'pavior.dev/secrets'

export function secretsText(secrets: SecretRef[] = []): string {
  return secrets.map(({ key, secret, version, as }) => `${key}=${secret}@v${version}${as === 'file' ? ' as file' : ''}`).join(', ')
}

/** What a release is made for when nothing but secrets changed. */
export function secretsReason(before: SecretRef[] = [], after: SecretRef[] = []): string {
  const of = (refs: SecretRef[], key: string): SecretRef | undefined => refs.find((ref) => ref.key === key)
  const changed = after.filter((ref) => secretsText([ref]) !== secretsText([of(before, ref.key)].filter((one) => one !== undefined))).map(({ key, version }) => `${key} v${version}`)
  const gone = before.filter(({ key }) => !of(after, key)).map(({ key }) => `${key} removed`)
  return `secret ${[...changed, ...gone].join(', ')}`.slice(0, 500)
}

const canarySeconds = 20
const largestCanaryWeight = 10

/** A new version is tried with one instance before all others get it. */
export function secretsRollout(replicas: number): RolloutSettings {
  return { steps: [{ weight: Math.max(1, Math.min(largestCanaryWeight, Math.floor(100 / Math.max(1, replicas)))), seconds: canarySeconds }] }
}

function mergeProcesses(found: Record<string, ProcessSpec>, declared: Record<string, ProcessSpec>): Record<string, ProcessSpec> {
  const names = [...new Set([...Object.keys(found), ...Object.keys(declared)])]
  return Object.fromEntries(names.map((name) => [name, { ...found[name], ...declared[name] }]).filter(([, process]) => (process as ProcessSpec).command !== undefined))
}

/** On a Deployment: what the App asked for when it was made. A later difference is a change that somebody made since. */
export const configAnnotation = 'pavior.dev/app-config'

/** Over everything of the App that a release freezes; scale and restarts are not part of it. */
export function configDigest({ env, config, processes }: AppSpec, environment: string): string {
  const frozen = Object.entries(processes ?? {}).map(([name, { replicas: _, ...rest }]) => [name, rest])
  return createHash('sha256').update(JSON.stringify(sorted([env ?? {}, config?.[environment] ?? {}, frozen]))).digest('hex').slice(0, 16)
}

/** The same for the same contents, whatever the order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}

export interface SetContext {
  team: string
  app: string
  environment: string
  release: ReleaseSpec
  /** From App.spec: wins over the replicas of the manifest. */
  scale: Record<string, number>
  restartToken?: string
  /** How soon its environment sleeps; never when absent. */
  sleepAfterMs?: number
}

export function replicasOf(process: ProcessSpec, name: string, scale: Record<string, number>): number {
  return scale[name] ?? process.replicas ?? 1
}

/**
 * The command of a process is a shell line, as in a Procfile; `exec` keeps the shell from standing between signals and app.
 * Where the artifact lies is known only when it runs, so its own programs are put on the PATH by the shell.
 */
export function commandOf(line: string, { bin = [], image }: Pick<ReleaseSpec, 'bin' | 'image'>): string[] {
  // An image may be without a shell, so it is only asked for what needs one.
  return (image && plainWords(line)) ?? shellCommand(line, bin)
}

/** The words of a line in which nothing is left for a shell to do but to take quotes away; undefined for every other. */
export function plainWords(line: string): string[] | undefined {
  const word = /\s*((?:'[^']*'|"[^"$`\\!]*"|[A-Za-z0-9_@%+=:,./-])+)(?=\s|$)/y
  const words: string[] = []
  while (word.lastIndex < line.trimEnd().length) {
    const match = word.exec(line.trimEnd())
    if (!match) return undefined
    words.push(match[1]!.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single: string | undefined, double: string | undefined) => single ?? double ?? ''))
  }
  const first = words[0]
  return first === undefined || first.includes('=') || shellWords.has(first) ? undefined : words
}

/** Words that only a shell knows what to do with. */
const shellWords = new Set(['exec', 'cd', 'export', 'if', 'for', 'while', 'case', 'set', 'unset', 'ulimit', 'umask', 'trap', 'eval', 'source', '.', ':'])

export function shellCommand(line: string, bin: string[]): string[] {
  const simple = !/[;&|<>()`\n]|\$\(|^\s*(?:exec|cd|export|if|for|while|set|\.)\s|^\s*[A-Za-z_][A-Za-z0-9_]*=/.test(line)
  const path = bin.length > 0 ? `PATH="${bin.map((directory) => `$APP_DIR/${directory}:`).join('')}$PATH"; export PATH; ` : ''
  return ['sh', '-c', `${path}${simple ? `exec ${line}` : line}`]
}

export function instanceEnv({ team, app, environment, release }: Omit<SetContext, 'scale' | 'restartToken' | 'sleepAfterMs'>, process: string): Record<string, string> {
  return {
    ...withoutSecrets(release),
    PAVIOR_TEAM: team,
    PAVIOR_APP: app,
    PAVIOR_ENVIRONMENT: environment,
    PAVIOR_RELEASE: String(release.version),
    PAVIOR_PROCESS: process,
  }
}

/** One set for every process but `release`. */
export function wantedSets(context: SetContext): { process: string; spec: InstanceSetSpec }[] {
  const { app, environment, release, scale, restartToken, sleepAfterMs } = context
  return Object.entries(release.processes)
    .filter(([name]) => name !== releaseProcess)
    .map(([name, process]) => ({
      process: name,
      spec: {
        app,
        environment,
        release: release.version,
        process: name,
        replicas: replicasOf(process, name, scale),
        artifact: release.artifact,
        command: commandOf(process.command!, release),
        env: instanceEnv(context, name),
        ...(release.mounts === undefined ? {} : { mounts: release.mounts }),
        ...(release.secrets === undefined ? {} : { secrets: release.secrets }),
        ...(release.image === undefined ? {} : { image: release.image }),
        listens: name === webProcess,
        ...(process.health === undefined ? {} : { health: process.health }),
        ...(process.metrics === undefined ? {} : { metrics: process.metrics }),
        memoryBytes: bytesOf(process.memory ?? defaults.memory),
        cpu: process.cpu ?? defaults.cpu,
        pids: process.pids ?? defaults.pids,
        startTimeoutMs: (process.startTimeoutSeconds ?? defaults.startTimeoutSeconds) * 1000,
        stopGraceMs: (process.stopGraceSeconds ?? defaults.stopGraceSeconds) * 1000,
        drainTimeoutMs: (process.drainTimeoutSeconds ?? defaults.drainTimeoutSeconds) * 1000,
        ...(restartToken === undefined ? {} : { restartToken }),
        ...(sleepAfterMs === undefined ? {} : { sleepAfterMs }),
      },
    }))
}
