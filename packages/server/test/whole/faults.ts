/** Killing parts of a platform, and looking at it past its own answers. */
import { request } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObservedState } from '@pavior/contract'
import { callAgent } from '../../src/drivers/agent/client.ts'
import { socketDirectory } from '../../src/kernel/config/config.ts'
import { rawHead } from '../tar-head.ts'
import { until, writeFiles, type Platform } from './platform.ts'

const sockets = ({ home, environment }: Platform): string => socketDirectory(home, environment)

export async function serverPid(platform: Platform): Promise<number> {
  return Number((await readFile(join(sockets(platform), 'server.pid'), 'utf8')).split(' ')[0])
}

export async function databasePid({ home }: Platform): Promise<number> {
  return Number((await readFile(join(home, 'pg', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** What the agent says itself, whether or not there is a server. */
export function observed(platform: Platform): Promise<ObservedState> {
  return callAgent<ObservedState>(join(sockets(platform), 'agent.sock'), { method: 'GET', path: '/observed' })
}

export async function agentPid(platform: Platform): Promise<number> {
  return (await observed(platform)).processes.find(({ role }) => role === 'agent')!.pid
}

export async function ready({ url }: Platform): Promise<boolean> {
  return (await fetch(new URL('/readyz', url))).ok
}

/** Resolves when another server has taken its place. */
export async function killServer(platform: Platform): Promise<void> {
  const pid = await serverPid(platform)
  process.kill(pid, 'SIGKILL')
  await until('another server', async () => (await serverPid(platform)) !== pid && (await ready(platform)))
}

/** Every process of the database at once. */
export async function killDatabase(platform: Platform): Promise<void> {
  const pid = await databasePid(platform)
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  for (const each of [pid, ...children]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // A backend may have ended meanwhile.
    }
  }
}

/** Names in a directory of the platform; empty when it is not there. */
export function names(platform: Platform, ...path: string[]): string[] {
  try {
    return readdirSync(join(platform.home, ...path))
  } catch {
    return []
  }
}

/** Resources of an app, straight from the API. */
export async function ofApp(platform: Platform, plural: string, app: string): Promise<any[]> {
  const { body } = await platform.api('GET', `/apis/pavior.dev/v1/namespaces/default/${plural}?fieldSelector=spec.app%3D${app}`)
  return body.items
}

/** Sends the beginning of an upload and leaves the rest open. */
export async function halfUpload(platform: Platform, app: string): Promise<{ broken: Promise<void> }> {
  const { hostname, port } = new URL(platform.url)
  const token = await platform.token()
  const outgoing = request({ hostname, port, method: 'POST', path: `/v1/teams/default/apps/${app}/source`, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked' } })
  const broken = new Promise<void>((resolve) => outgoing.on('error', () => resolve()))
  outgoing.on('response', (response) => response.resume().on('error', () => {}))
  outgoing.write(rawHead('big.bin', { size: 10 * 1024 * 1024 }))
  outgoing.write(Buffer.alloc(1024 * 1024))
  return { broken }
}

/** For `beforeAll`, where there is no test yet that would clean up. */
export async function deployedApp(platform: Platform, name: string, files: Record<string, string>, ...flags: string[]): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'pavior-app-'))
  try {
    await writeFiles(join(parent, name), files)
    await platform.json(['deploy', ...flags], { directory: join(parent, name) })
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
}
