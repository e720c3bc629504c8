/** Starts a process tree: checks and makes what it needs, spawns it, and gives it over to a Run; or takes over one that runs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fail, type TaskSpec, type Workload } from '@pavior/contract'
import type { CgroupGroup } from '../cgroup/driver.ts'
import type { StartRecord } from '../state/records.ts'
import { imageSupport, prepareRoot } from '../image/root.ts'
import type { RunHost } from './host.ts'
import { launchCommand, launchEnvironment, onTerminal } from './launch.ts'
import { checkDirectories, copyDirectory, giveDirectories, makeScratch, openNameless } from './prepare.ts'
import { readStat } from './proc.ts'
import { Run } from './run.ts'
import { secretsOf, secretVariables, writeSecretFiles } from './secrets.ts'
import { environmentScript, shimFiles } from './shim.ts'

export interface RunSpec {
  id: string
  attempt: number
  workload: Workload
  port?: number
  /** Where files that are gone with the run live. Memory counts against the memory limit. */
  scratch: 'memory' | 'disk'
  /** Keep an input stream open; otherwise the process reads end of file. */
  input: boolean
  terminal?: TaskSpec['terminal']
  /** Open for appending; closed by the run. */
  logDescriptor: number
  logOffset: number
}

/** The shim's limit on processes of a user id, where no cgroup counts them: several instances of an app share it. */
const userProcessesFactor = 8

/** Starts a process. Fails with START_FAILED when something that it needs is missing. */
export async function startRun(host: RunHost, spec: RunSpec): Promise<Run> {
  try {
    return await launch(host, spec)
  } finally {
    closeSync(spec.logDescriptor)
  }
}

async function launch(host: RunHost, asked: RunSpec): Promise<Run> {
  // The root of an image has a layer of its own that may be changed.
  const spec = asked.workload.ownCopy && !asked.workload.image ? { ...asked, workload: await copyDirectory(host, asked.id, asked.workload) } : asked
  const { workload } = spec
  if (spec.terminal && !host.tools.script) {
    throw fail('START_FAILED', {
      message: 'This machine has no script command, so a process cannot get a terminal.',
      fix: 'Install util-linux (Debian: bsdutils), or run the command without a terminal.',
    })
  }
  const uid = workload.imageBuilder ? host.settings.builderUidMin : host.users?.uidOf(workload.team, workload.app)
  const images = workload.image || workload.imageBuilder ? imageSupport(host, workload) : undefined
  checkDirectories(workload, uid)
  const scratch = spec.scratch === 'disk' || !host.sandbox.memoryScratch ? makeScratch(host, spec.id, uid) : undefined
  if (uid !== undefined) await giveDirectories(host, workload, uid)
  const secrets = secretsOf(workload)
  const secretFiles = writeSecretFiles(host, spec.id, secrets, uid)
  const paths = host.sandbox.paths({ directory: workload.directory, scratch, image: workload.image, secretFiles })
  const environment = environmentScript(
    launchEnvironment({ ...workload, env: { ...workload.env, ...secretVariables(secrets, paths.secrets) } }, paths, { id: spec.id, port: spec.port, terminal: Boolean(spec.terminal) }),
  )
  const words = environment.leftover.length > 0 ? ['env', ...environment.leftover, ...workload.command] : workload.command
  const groupName = `${spec.id}.${spec.attempt}`
  const group = host.cgroup.create(groupName, workload.limits)
  const command = launchCommand({
    workload,
    tools: host.tools,
    sandbox: host.sandbox,
    joinFiles: group.joinFiles,
    command: spec.terminal && host.tools.script ? onTerminal(images ? images.toolbox.words('script') : [host.tools.script], spec.terminal, words) : words,
    uid,
    passwdFile: uid === undefined || workload.image || workload.imageBuilder ? undefined : host.users?.passwdFile(uid, paths.home),
    scratch,
    secretFiles,
    fileBytes: workload.limits.diskBytes,
    userProcesses: processLimit(host, workload, uid),
    image: images && workload.image ? { root: prepareRoot(host, spec.id, { rootfs: workload.directory, image: workload.image, uid }), toolbox: images.toolbox } : undefined,
  })
  const namespace = workload.imageBuilder ? await images?.builderNamespace() : undefined
  try {
    return spawnRun(host, spec, { command, environment: environment.script, group, groupName, uid, namespace })
  } catch (error) {
    group.remove()
    throw error
  }
}

/** Where no cgroup limits processes, the user id does, if it is the app's own or the sandbox counts it by itself. */
function processLimit(host: RunHost, workload: Workload, uid: number | undefined): number | undefined {
  if (host.cgroup.enforces.pids) return undefined
  if (uid !== undefined) return Math.floor(workload.limits.pids) * userProcessesFactor
  return host.sandbox.ownsPids && process.getuid?.() !== 0 ? Math.floor(workload.limits.pids) : undefined
}

interface Prepared {
  command: string[]
  environment: string
  group: CgroupGroup
  groupName: string
  uid?: number
  /** Becomes descriptor 6. */
  namespace?: number
}

function spawnRun(host: RunHost, spec: RunSpec, prepared: Prepared): Run {
  const directory = host.records.path(spec.id)
  const files = shimFiles(directory)
  const descriptors = [
    openSync(files.record, 'w', 0o600),
    openSync(files.status, 'w', 0o600),
    openNameless(host.memoryDirectory, prepared.environment),
  ]
  const [file = '', ...args] = prepared.command
  let child: ChildProcess
  try {
    child = spawn(file, args, {
      cwd: spec.workload.directory,
      // Nothing of the agent's own environment: it may hold secrets, and apps must not depend on who started the agent.
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: [spec.input ? 'pipe' : 'ignore', spec.logDescriptor, spec.logDescriptor, ...descriptors, ...(prepared.namespace === undefined ? [] : [prepared.namespace])],
      detached: true,
    })
  } finally {
    descriptors.forEach((descriptor) => closeSync(descriptor))
  }
  child.on('error', (error) => host.log.warn({ run: spec.id, error: error.message }, 'could not spawn'))
  if (child.pid === undefined)
    throw fail('START_FAILED', {
      message: `The process of ${spec.workload.app} could not be spawned.`,
      why: 'The machine may be out of processes or memory.',
    })
  const start: StartRecord = {
    attempt: spec.attempt,
    bootId: host.bootId,
    spawned: { pid: child.pid, startTicks: readStat(child.pid)?.startTicks ?? 0 },
    group: prepared.groupName,
    uid: prepared.uid,
    port: spec.port,
    startedAt: new Date().toISOString(),
    logOffset: spec.logOffset,
  }
  return new Run(host, { id: spec.id, start, group: prepared.group, child })
}

/** Takes over a process that an earlier agent started. It may have ended meanwhile: then its exit is read from disk. */
export function adoptRun(host: RunHost, id: string, start: StartRecord): Run {
  return new Run(host, { id, start, group: host.cgroup.open(start.group) })
}
