/** What every command gets: where to talk to, how to print. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail } from '@pavior/contract'
import { Api } from './api.ts'
import { Output } from './output.ts'

export interface GlobalFlags {
  json?: boolean
  quiet?: boolean
  team?: string
  home?: string
  /** For the audit. */
  because?: string
}

export interface Endpoint {
  url: string
  token: string
  team: string
}

/** The clone or installed package that this command belongs to. */
export const root = process.env.PAVIOR_ROOT ?? fileURLToPath(new URL('..', import.meta.url))

export class Context {
  readonly flags: GlobalFlags
  readonly out: Output
  readonly environment: NodeJS.ProcessEnv
  #api: Api | undefined

  constructor(flags: GlobalFlags, environment: NodeJS.ProcessEnv = process.env) {
    this.flags = flags
    this.environment = environment
    this.out = new Output({ json: flags.json ?? false, quiet: flags.quiet ?? false, color: process.stderr.isTTY === true && !environment.NO_COLOR })
  }

  /** Home of an installation on this machine. */
  get home(): string {
    return resolve(this.flags.home ?? this.environment.PAVIOR_HOME ?? (existsSync(join(root, 'packages')) ? join(root, '.pavior') : join(homedir(), '.pavior')))
  }

  get endpoint(): Endpoint {
    const { PAVIOR_URL: url, PAVIOR_TOKEN: token, PAVIOR_TEAM: team } = this.environment
    if (url && token) return { url, token, team: this.flags.team ?? team ?? 'default' }
    const login = readLogin()
    // A home that is named wins over a login; a login over the installation of the clone.
    const named = this.flags.home !== undefined || this.environment.PAVIOR_HOME !== undefined
    const file = named || !login ? readCliFile(join(this.home, 'cli.json')) : login
    const found = file ?? login
    if (!found) {
      throw fail('NOT_LOGGED_IN', { message: 'The command line knows no Pavior server.', why: `There is no ${join(this.home, 'cli.json')}, and nobody has logged in.` })
    }
    return { ...found, team: this.flags.team ?? team ?? found.team }
  }

  get api(): Api {
    this.#api ??= new Api(this.endpoint, this.flags.because, (text) => this.out.progress(`${this.out.paint('yellow', 'warning')} ${text}`))
    return this.#api
  }

  get team(): string {
    return this.endpoint.team
  }

  /** The app that is named, else that of the directory. */
  app(given: string | undefined, directory = process.cwd()): string {
    return given ?? appOfDirectory(directory)
  }
}

/** Where `pavior login` keeps what it learnt. */
export function loginFile(): string {
  return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'pavior', 'login.json')
}

function readLogin(): Endpoint | undefined {
  return readCliFile(loginFile())
}

function readCliFile(path: string): Endpoint | undefined {
  if (!existsSync(path)) return undefined
  try {
    const content = JSON.parse(readFileSync(path, 'utf8')) as Endpoint
    if (typeof content.url === 'string' && typeof content.token === 'string') return { ...content, team: content.team ?? 'default' }
  } catch {
    // Answered below: a file that cannot be read is named.
  }
  throw fail('CONFIG_INVALID', { message: `${path} cannot be read as JSON with url and token.`, fix: 'Remove it and log in again, or restart Pavior on this machine.' })
}

/** `name:` of the manifest, else the directory's name made into a valid one. */
export function appOfDirectory(directory: string): string {
  for (const file of ['pavior.yaml', 'pavior.yml']) {
    const path = join(directory, file)
    if (!existsSync(path)) continue
    const name = /^name:\s*["']?([a-z][a-z0-9-]*)["']?\s*$/m.exec(readFileSync(path, 'utf8'))?.[1]
    if (name) return name
  }
  const name = basename(resolve(directory))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 40)
    .replaceAll(/-+$/g, '')
  if (!name) throw fail('NAME_INVALID', { message: `The directory name "${basename(resolve(directory))}" gives no app name.`, fix: 'Name the app with --app.' })
  return name
}
