/** One unprivileged user id per app, the same for ever, so that files and processes of one app are closed to the others. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from './state/atomic.ts'

interface Allocation {
  next: number
  apps: Record<string, number>
}

export class Users {
  readonly #file: string
  readonly #passwdDirectory: string
  readonly #allocation: Allocation
  #names?: Map<number, string>

  constructor(options: { file: string; passwdDirectory: string; uidMin: number }) {
    this.#file = options.file
    this.#passwdDirectory = options.passwdDirectory
    this.#allocation = existsSync(options.file)
      ? (JSON.parse(readFileSync(options.file, 'utf8')) as Allocation)
      : { next: options.uidMin, apps: {} }
  }

  /** The user id of an app, the same number as its group id. Durable before it is used. */
  uidOf(team: string, app: string): number {
    const name = `${team}/${app}`
    const known = this.#allocation.apps[name]
    if (known !== undefined) return known
    const uid = this.#allocation.next++
    this.#allocation.apps[name] = uid
    writeAtomically(this.#file, JSON.stringify(this.#allocation), { durable: true })
    return uid
  }

  /** `team/app` of a user id; undefined for one that is no app's. */
  appOf(uid: number): string | undefined {
    if (this.#names === undefined || !this.#names.has(uid)) this.#names = new Map(Object.entries(this.#allocation.apps).map(([app, id]) => [id, app]))
    return this.#names.get(uid)
  }

  /** A passwd file in which the user id is called `app`: many programs fail for a user without a name. */
  passwdFile(uid: number, home: string): string {
    const file = join(this.#passwdDirectory, String(uid))
    if (!existsSync(file)) writeAtomically(file, passwdText(uid, home), { durable: false, mode: 0o644 })
    return file
  }
}

/** Content of the passwd file, see passwd(5). */
export function passwdText(uid: number, home: string): string {
  return [
    'root:x:0:0:root:/root:/usr/sbin/nologin',
    `app:x:${uid}:${uid}:app:${home}:/bin/sh`,
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    '',
  ].join('\n')
}
