/** Directories and descriptors that a process starts with. */
import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, type Workload } from '@pavior/contract'
import type { SandboxView } from '../sandbox/driver.ts'
import type { RunHost } from './host.ts'

/** Scratch directories on disk, empty and owned by the process's user. */
export function makeScratch(host: RunHost, id: string, uid: number | undefined): NonNullable<SandboxView['scratch']> {
  const directory = scratchDirectory(host, id)
  const scratch = { home: join(directory, 'home'), temporary: join(directory, 'tmp') }
  for (const path of [directory, scratch.home, scratch.temporary]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (uid !== undefined) chownSync(path, uid, uid)
  }
  return scratch
}

/** The workload in a writable copy of its directory, beside the scratch directories and removed with them. */
export async function copyDirectory(host: RunHost, id: string, workload: Workload): Promise<Workload> {
  checkDirectories(workload, undefined)
  const top = scratchDirectory(host, id)
  const copy = join(top, 'app')
  await rm(copy, { recursive: true, force: true })
  mkdirSync(top, { recursive: true, mode: 0o700 })
  await runTool(['cp', '-a', '--reflink=auto', '--', workload.directory, copy])
  return { ...workload, directory: copy, writable: true }
}

export function scratchDirectory(host: RunHost, id: string): string {
  return join(host.home.scratch, id)
}

/** Removes a run's scratch directories, read-only ones included (Go makes its module cache so). Never fails. */
export async function removeScratch(host: RunHost, id: string): Promise<void> {
  const directory = scratchDirectory(host, id)
  if (!existsSync(directory)) return
  try {
    await rm(directory, { recursive: true, force: true }).catch(async () => {
      await runTool(['chmod', '-R', 'u+rwX', '--', directory])
      await rm(directory, { recursive: true, force: true })
    })
  } catch (error) {
    host.log.warn({ directory, error: String(error) }, 'a scratch directory could not be removed')
  }
}

/** Gives the process's user what it may write. The workload's directory whole, a cache only when its top is not yet its own. */
export async function giveDirectories(host: RunHost, workload: Workload, uid: number): Promise<void> {
  const paths = workload.writable ? [workload.directory] : []
  for (const mount of workload.mounts ?? []) {
    if (!mount.readOnly && statSync(mount.source).uid !== uid) paths.push(mount.source)
  }
  if (paths.length > 0 && host.tools.chown) await runTool([host.tools.chown, '-R', '--no-dereference', `${uid}:${uid}`, '--', ...paths])
}

/** Runs a tool of the host to its end. Fails with START_FAILED and what it wrote. */
export async function runTool(command: string[]): Promise<void> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { LC_ALL: 'C' } })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw fail('START_FAILED', { message: `${file} ended with ${code}.`, why: errors.trim() })
}

/** Refuses a workload whose directories are not there, before anything is started. */
export function checkDirectories(workload: Workload, uid: number | undefined): void {
  const wanted = [workload.directory, ...(workload.mounts ?? []).map((mount) => mount.source)]
  for (const path of wanted) {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat)
      throw fail('START_FAILED', {
        message: `${path} does not exist, so ${workload.app} cannot be started from it.`,
        fix: 'Deploy again; the files of this release are gone from this machine.',
      })
  }
  const { mode, uid: owner } = statSync(workload.directory)
  if (uid !== undefined && !workload.writable && owner !== uid && (mode & 0o005) !== 0o005) {
    throw fail('START_FAILED', {
      message: `${workload.directory} is closed to the user of ${workload.app}.`,
      fix: `Make it readable: chmod o+rx ${workload.directory}.`,
    })
  }
}

/** An open file in memory without a name, positioned at its beginning. */
export function openNameless(directory: string, content: string): number {
  const path = join(directory, `.pavior-${process.pid}-${randomBytes(9).toString('base64url')}`)
  const descriptor = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  const bytes = Buffer.from(content)
  // Writing at explicit positions leaves the descriptor's own position at the beginning, where the reader starts.
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written, bytes.length - written, written)
  return descriptor
}
