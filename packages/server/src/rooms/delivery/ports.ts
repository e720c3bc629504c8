/** What room delivery needs from outside: builders, places for sources and artifacts, a runner of build steps. */
import type { Readable } from 'node:stream'
import type { AppSpec, ArtifactComponent, BuildSettings, BuildSpec, BuildStatus, ErrorCode, ErrorDetails, HostCapabilities, LogLine, ProcessSpec, Resource, SecretFinding, TaskSpec, TaskStatus } from '@pavior/contract'
import type { SbomSubject } from './safety/sbom.ts'

/** What builders look at: every path, and the text of the few files that they ask for. Pure data. */
export interface SourceFacts {
  /** Relative paths of all files, sorted. */
  paths: readonly string[]
  /** Text of those files of `Builder.reads` that exist. */
  texts: Readonly<Record<string, string>>
  settings: BuildSettings
}

/** A program on the building machine. */
export interface Tool {
  name: string
  /** As the program prints it, without a leading v. */
  version: string
  /** Absolute path of the program. */
  path: string
  /** Directories that a sandbox must show for it to run; empty when it is part of the system. */
  mounts: string[]
}

/** Tools by name, as far as they are there. */
export type HostTools = Readonly<Record<string, Tool | undefined>>

export interface BuildStep {
  name: string
  /** Argument array, run in the source directory. */
  command: string[]
  /** Further variables. */
  env?: Record<string, string>
  /** Name of a layer that makes this step unnecessary when it could be restored. */
  madeBy?: string
  /** What the last lines of its log mean when it failed, if anything. Pure. */
  explain?: (lines: readonly string[]) => StepReason | undefined
}

/** What is known better than that a step failed. */
export type StepReason = Partial<ErrorDetails> & { code?: ErrorCode }

/** Part of the working tree that depends on few inputs and is kept between builds: installed dependencies. */
export interface Layer {
  name: string
  /** Whatever decides what the paths hold: text of lock files, tool versions. */
  inputs: string[]
  /** Relative paths. */
  paths: string[]
}

export interface BuildPlan {
  /** A few words for people: `node 20.20 · npm ci`. */
  summary: string
  steps: BuildStep[]
  layers: Layer[]
  /** Variables of every step. `/cache` in them stands for a directory that is kept between builds of the app. */
  env: Record<string, string>
  /** Directories of the artifact whose programs are found by name. */
  bin?: string[]
  /** Variables that the artifact needs at run time. */
  runtimeEnv: Record<string, string>
  /** Processes found in the source; a Procfile or manifest wins. */
  processes: Record<string, ProcessSpec>
  /** Tools that the steps use. */
  tools: Tool[]
  /** Tools that the artifact needs at run time. */
  runtimeTools: Tool[]
  /** Directory that becomes the artifact, when it is not the whole tree. */
  output?: string
  /** Relative paths that do not belong into the artifact. */
  omit?: string[]
  /** Files of ours that are put into the artifact: relative path → host file. */
  add?: Record<string, string>
  /**
   * The steps are image builders: they find stored images below /images and leave a root file system in /output/rootfs and
   * the configuration of the image in /output/config.json. What runs, and how, is read there.
   */
  image?: boolean
}

/** A tool with a version that is asked for, to be installed when the host's own does not fit. */
export interface ToolRequest {
  name: 'node' | 'python3'
  /** semver range. */
  range: string
  /** When nothing fits, the host's own is good enough. */
  optional?: boolean
}

export interface Builder {
  name: string
  /** Files whose text `detect` and `plan` look at. */
  reads: string[]
  /** Names of host tools that `plan` may use. */
  tools: string[]
  /** Why this builder recognises the source, in a few words; undefined when it does not. Pure. */
  detect(source: SourceFacts): string | undefined
  /** Version that the source asks for, when it does. Pure. */
  request?(source: SourceFacts): ToolRequest | undefined
  /** Tool whose version matters to the source, and what the source asks of it; no name where none does. Pure. */
  toolchain?(source: SourceFacts): { name: string; asked?: string | undefined }
  /** Throws TOOLCHAIN_MISSING or PROCESS_MISSING. Pure. */
  plan(source: SourceFacts, tools: HostTools): BuildPlan
}

export interface ToolFinder {
  find(names: string[]): Promise<HostTools>
  /** Finds or installs a version that fits; throws TOOLCHAIN_MISSING. */
  provide(request: ToolRequest): Promise<Tool>
}

export interface StoredSource {
  /** sha256 over the normalised files. */
  digest: string
  files: number
  bytes: number
}

export interface SourceStore {
  /** Unpacks, checks and keeps a tar stream, gzip or plain. Throws the UPLOAD_… errors; keeps nothing then. */
  accept(stream: Readable): Promise<StoredSource>
  has(digest: string): Promise<boolean>
  directoryOf(digest: string): string
  facts(digest: string, subdirectory: string | undefined, reads: string[]): Promise<Omit<SourceFacts, 'settings'>>
  /** Removes sources that nothing names any more and that are older than `keepMs`. */
  collect(live: ReadonlySet<string>, keepMs: number): Promise<number>
}

export interface ArtifactStore {
  /**
   * Takes the directory over (it is gone afterwards) and names it by the digest of its contents. `named` is told the digest
   * before the directory goes, so that a crash between leaves a trace.
   */
  put(directory: string, named?: (digest: string) => Promise<void>): Promise<{ digest: string; bytes: number; files: number }>
  has(digest: string): Promise<boolean>
  /** Whether what is stored under the digest still has it. */
  verify(digest: string): Promise<boolean>
  directoryOf(digest: string): string
  collect(live: ReadonlySet<string>, keepMs: number): Promise<number>
}

/** What a look at an artifact and its source finds. */
export interface ScanRequest {
  /** Directories. */
  artifact: string
  source?: string
  subject: SbomSubject
}

export interface ScanAnswer {
  components: ArtifactComponent[]
  secrets: SecretFinding[]
  /** CycloneDX as JSON. */
  sbom: string
}

export interface ArtifactScanner {
  /** Throws SCAN_FAILED. */
  scan(request: ScanRequest, signal: AbortSignal): Promise<ScanAnswer>
}

/** Asked before a build counts as done and its deploy begins. Throws to refuse; `build` carries the status that it will have. */
export interface DeployGate {
  admitBuild(build: Resource<BuildSpec, BuildStatus>): Promise<{ rules: number; warnings: string[] }>
}

/** Runs build steps where they cannot hurt: the runtime driver. */
export interface StepRunner {
  startTask(id: string, spec: TaskSpec): Promise<TaskStatus>
  task(id: string): Promise<TaskStatus | undefined>
  cancelTask(id: string, graceMs: number): Promise<void>
  forgetTask(id: string): Promise<void>
  /** What the machine of the steps can do. */
  current(): Promise<{ host: HostCapabilities }>
  logs(id: string, query: { follow?: boolean; tail?: number; offset?: number }, signal: AbortSignal): AsyncIterable<LogLine>
}

/** What a manifest in the source declares. */
export interface Declaration {
  declaredBy: NonNullable<AppSpec['declaredBy']>
  /** Name of the app, when the manifest gives one. */
  name?: string
  spec: Partial<AppSpec>
}
