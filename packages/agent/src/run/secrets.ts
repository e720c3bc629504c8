/** Secrets on their way into a process: variables through the nameless file of its environment, files in a directory in memory. */
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, type SecretValues, type Workload } from '@pavior/contract'
import type { RunHost } from './host.ts'

type SecretsHost = Pick<RunHost, 'memoryDirectory' | 'home'>

/** The values of a workload. Fails with SECRETS_SEALED when neither server nor agent has them. */
export function secretsOf({ app, secrets }: Workload): SecretValues {
  if (secrets === undefined) return { env: {}, files: {} }
  if (secrets !== 'kept') return secrets
  throw fail('SECRETS_SEALED', {
    message: `${app} cannot be started, because its secrets cannot be opened.`,
    why: 'The master key is missing or is another one, or a version that the release was made with is revoked or removed; the log of the server tells which.',
    fix: 'Give the platform its master key back, or deploy again to get the secrets of today.',
  })
}

/** Writes the files, readable by nobody but the process's user; undefined when there are none. */
export function writeSecretFiles(host: SecretsHost, id: string, { files }: SecretValues, uid: number | undefined): string | undefined {
  removeSecretFiles(host, id)
  if (Object.keys(files).length === 0) return undefined
  const directory = join(ownDirectory(host), id)
  mkdirSync(directory, { mode: 0o700 })
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory, name)
    writeFileSync(file, Buffer.from(content, 'base64'), { mode: 0o400, flag: 'wx' })
    if (uid !== undefined) chownSync(file, uid, uid)
  }
  if (uid !== undefined) chownSync(directory, uid, uid)
  chmodSync(directory, 0o500)
  return directory
}

/** What the process knows of its files: `<NAME>_FILE` with the path as it sees it. */
export function secretVariables({ env, files }: SecretValues, directory: string): Record<string, string> {
  return { ...env, ...Object.fromEntries(Object.keys(files).map((name) => [`${name}_FILE`, join(directory, name)])) }
}

export function removeSecretFiles(host: SecretsHost, id: string): void {
  const directory = join(directoryPath(host), id)
  // A directory without the right to write lets nobody but root remove what is in it.
  try {
    chmodSync(directory, 0o700)
  } catch {
    return
  }
  rmSync(directory, { recursive: true, force: true })
}

/** Removes the files of runs that nobody knows of any more. */
export function clearSecretFiles(host: SecretsHost, known: ReadonlySet<string>): void {
  let names: string[]
  try {
    names = readdirSync(directoryPath(host))
  } catch {
    return
  }
  for (const name of names) if (!known.has(name)) removeSecretFiles(host, name)
}

/** One for each home, so that several agents on a machine do not meet. */
function directoryPath({ memoryDirectory, home }: SecretsHost): string {
  return join(memoryDirectory, `pavior-secrets-${createHash('sha256').update(home.root).digest('hex').slice(0, 16)}`)
}

/** Others may write beside it in /dev/shm, so it must be ours before anything is put into it. */
function ownDirectory(host: SecretsHost): string {
  const path = directoryPath(host)
  try {
    mkdirSync(path, { mode: 0o711 })
    chmodSync(path, 0o711)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw fail('START_FAILED', { message: `${path} belongs to somebody else, so no secret is put there.`, fix: `Remove ${path}.` })
  }
  return path
}

/** The values that a set had before, for one that comes without. */
export function withKeptSecrets(workload: Workload, before: Workload | undefined): Workload {
  return workload.secrets === 'kept' && before?.secrets !== undefined ? { ...workload, secrets: before.secrets } : workload
}
