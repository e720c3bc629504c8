/** What room catalog needs from outside: where sources are kept, what renders templates, repositories and deployments. */
import type { Readable } from 'node:stream'
import type { ApiView, DeployProgress } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'

export interface SourceFiles {
  /** Text of one file of a source; undefined when there is no such file (a link, a directory, too large count as none). */
  read(digest: string, path: string, largestBytes: number): Promise<string | undefined>
  /** Paths of the files below a directory. */
  list(digest: string, directory: string): Promise<{ path: string; size: number }[]>
}

export type ApiFormat = ApiView['format']

export interface ApiChange {
  breaking: boolean
  /** Does not break the contract, but may surprise: a caller that lists all values meets one that it has never seen. */
  risky?: boolean
  /** GET /orders/{id} */
  where: string
  what: string
}

export interface Definition {
  path: string
  format: ApiFormat
  definition: string
}

export type DefinitionRequest = { op: 'look'; path: string; definition: string } | { op: 'view'; definition: Definition } | { op: 'diff'; before: Definition; after: Definition }

export interface DefinitionAnswer {
  found?: { format: ApiFormat; title: string }
  view?: ApiView
  changes?: ApiChange[]
  problem?: { message: string }
}

/** Reads definitions of APIs in a process of its own. Everything throws API_DEFINITION_INVALID. */
export interface DefinitionReader {
  /** What a file holds by its name and its head; undefined when its name promises no API. */
  look(path: string, definition: string, signal?: AbortSignal): Promise<DefinitionAnswer['found']>
  view(definition: Definition, signal?: AbortSignal): Promise<ApiView>
  /** What callers notice. */
  diff(before: Definition, after: Definition, signal?: AbortSignal): Promise<ApiChange[]>
}

/** What was seen of requests between apps. */
export interface ObservedCalls {
  /** Apps that this one has called since then. */
  calledBy(app: { team: string; app: string }, since: Date): Promise<{ team: string; app: string }[]>
  /** Every pair that one of these apps is in, with its requests since then. */
  callsOf(apps: { team: string; app: string }[], since: Date): Promise<{ from: { team: string; app: string }; to: { team: string; app: string }; requests: number; errors: number; lastSeenAt: Date; unknown: number }[]>
}

/** Whether an app answers a path of it with success, asked as its users ask. */
export type AppProbe = (url: string, path: string) => Promise<boolean>

/** How the texts of a template are marked. */
export interface RenderStyle {
  /** `{{ cookiecutter.x }}` instead of `${{ values.x }}`. */
  cookiecutter?: boolean
  trimBlocks?: boolean
  lstripBlocks?: boolean
}

/** What the process that renders is asked; it has no rights at all. */
export type RenderRequest =
  | { op: 'render'; files: { path: string; content?: string; render: boolean }[]; values: Record<string, unknown>; style: RenderStyle }
  | { op: 'evaluate'; input: unknown; context: Record<string, unknown> }
  | { op: 'answers'; pages: Record<string, unknown>[]; answers: Record<string, unknown> }
  | { op: 'check'; texts: string[]; style?: RenderStyle }

export interface RenderedFile {
  path: string
  /** Path after rendering. */
  target: string
  /** Text after rendering; the file is as it was when absent. */
  content?: string
}

export interface RenderAnswer {
  files?: RenderedFile[]
  value?: unknown
  causes?: { field: string; message: string }[]
  unknown?: string[]
  known?: string[]
  problem?: string
  file?: string
}

/** Renders in a process of its own. Throws TEMPLATE_LIMIT when it takes too much; `problem` in the answer is the template's own fault. */
export interface TemplateRenderer {
  ask(request: RenderRequest, signal?: AbortSignal): Promise<RenderAnswer>
}

/** Files by path. */
export type FileTree = ReadonlyMap<string, { content: Buffer; executable: boolean }>

export interface CommitWords {
  message: string
  author: { name: string; email: string }
  /** ISO; part of the commit's identity, so that the same commit made twice is one. */
  at: string
}

export interface MergeProposal {
  branch: string
  commit: string
  /** Against main. */
  diff: string
  files: { path: string; change: 'added' | 'changed' | 'removed' | 'conflict' }[]
  conflicts: string[]
}

/** Git repositories that are kept here, one an app. */
export interface Repositories {
  /** First commit of main. The same again is nothing; throws NAME_TAKEN when main holds something else. */
  begin(team: string, app: string, files: FileTree, words: CommitWords): Promise<{ commit: string; url: string }>
  remove(team: string, app: string): Promise<void>
  /** Text of a file on main. */
  read(team: string, app: string, path: string): Promise<string | undefined>
  /** The last commit that touched each file, as seen from a commit; undefined when that commit is not here (yet). */
  lastTouched(team: string, app: string, commit: string, paths: readonly string[]): Promise<Map<string, { commit: string; author: string; at: string }> | undefined>
  /** Address to clone from. */
  urlOf(team: string, app: string): string
  /** Whether there is a main with a commit. */
  holds(team: string, app: string): Promise<boolean>
  /** Three-way merge of main with what lies between two trees, as a branch. Undefined when nothing would change. */
  propose(team: string, app: string, trees: { base: FileTree; theirs: FileTree }, branch: string, words: CommitWords, dryRun: boolean): Promise<MergeProposal | undefined>
  /** Pushes one commit to the main branch of another host. Throws REPOSITORY_UNREACHABLE and REPOSITORY_REFUSED. */
  push(url: string, branch: string, credentials: { username: string; token: string } | undefined, files: FileTree, words: CommitWords, signal: AbortSignal): Promise<{ commit: string }>
}

/** From files to an app that is live. */
export interface Deploys {
  /** Name of the build of this commit; made when there is none yet. */
  begin(actor: Actor, deploy: { team: string; app: string; environment?: string; files: FileTree; commit: string; message: string; author: string }): Promise<string>
  follow(actor: Actor, team: string, build: string, signal: AbortSignal): AsyncIterable<DeployProgress>
}

/** Takes an archive in and gives its files. Throws the UPLOAD_… errors. */
export interface SourceIntake {
  accept(stream: Readable): Promise<{ files: FileTree }>
}
