/** Finds out, by trying, what this host permits, and says in plain sentences what is missing. */
import { spawnSync } from 'node:child_process'
import { accessSync, closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import type { HostCapabilities, Workload } from '@pavior/contract'
import { noCgroup, type CgroupDriver } from './cgroup/driver.ts'
import { openV1 } from './cgroup/v1.ts'
import { openV2 } from './cgroup/v2.ts'
import type { AgentHome } from './home.ts'
import { openToolbox } from './image/toolbox.ts'
import { openUserNamespace } from './image/user-namespace.ts'
import type { ImageSupport, RunHost } from './run/host.ts'
import { bootId } from './run/proc.ts'
import type { RunEnd } from './run/run.ts'
import { startRun } from './run/start.ts'
import { bubblewrap, readSystemView } from './sandbox/bubblewrap.ts'
import type { HostTools } from './sandbox/driver.ts'
import { plainSandbox } from './sandbox/plain.ts'
import type { AgentSettings } from './settings.ts'
import { RecordStore } from './state/records.ts'
import { Users } from './users.ts'

/** What may be left out although the host could do it. Tests and operators use it. */
export interface HostChoice {
  sandbox?: 'bubblewrap' | 'none'
  cgroup?: 'v1' | 'v2' | 'none'
  users?: boolean
}

const toolDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Builds the host that runs are started on. Takes some ten milliseconds, because it really starts processes. */
export async function detectHost(input: {
  home: AgentHome
  settings: AgentSettings
  log: Logger
  choice?: HostChoice
}): Promise<{ host: RunHost; capabilities: HostCapabilities }> {
  const { home, settings, log, choice = {} } = input
  const root = process.getuid?.() === 0
  const notes: string[] = []
  const tools = findTools()
  const cgroup = openCgroup(home, choice.cgroup, notes)
  const users = chooseUsers({ home, settings, tools, root, wanted: choice.users ?? true, notes })
  const base: RunHost = {
    home,
    settings,
    tools,
    sandbox: plainSandbox(tools, { root }),
    cgroup,
    users,
    records: new RecordStore(home.runs, {
      retryMs: settings.saveRetryMs,
      onError: (error) => log.error({ error: String(error) }, 'a record could not be saved; it is tried again'),
    }),
    bootId: bootId(),
    memoryDirectory: writable('/dev/shm') ? '/dev/shm' : home.runs,
    log,
  }
  const plain = (await trySandbox(base, { root, wanted: choice.sandbox ?? 'bubblewrap', notes })) ?? (await tryPlain(base, notes))
  const images = await tryImages(plain, root)
  const host = typeof images === 'string' ? plain : { ...plain, images }
  if (!tools.fallocate)
    notes.push(
      'fallocate of util-linux is missing, so a log at its size limit is copied and cut, which may lose lines of that moment.',
    )
  return { host, capabilities: { sandbox: host.sandbox.kind, cgroup: cgroup.kind, users: Boolean(host.users), ...(typeof images === 'string' ? { imageProblem: images } : {}), notes } }
}

function find(name: string): string | undefined {
  return toolDirectories.map((directory) => join(directory, name)).find((path) => executable(path))
}

function toolPath(name: string): string {
  const path = find(name)
  if (path === undefined) throw new Error(`${name} is missing on this machine`)
  return path
}

function findTools(): HostTools {
  const sh = find('sh') ?? '/bin/sh'
  const env = find('env')
  const resets =
    env !== undefined && spawnSync(env, ['--default-signal=INT,QUIT', 'true'], { env: { PATH: toolDirectories.join(':') } }).status === 0
  const prlimit = find('prlimit')
  return {
    sh,
    bwrap: find('bwrap'),
    setpriv: find('setpriv'),
    prlimit,
    script: find('script'),
    fallocate: find('fallocate'),
    chown: find('chown'),
    du: find('du'),
    nsenter: find('nsenter'),
    unshare: find('unshare'),
    resetSignals: resets ? `${env} --default-signal=INT,QUIT` : '',
  }
}

/** A name for this home's cgroups: several agents may share a machine. */
export function cgroupParent(home: AgentHome): string {
  return `pavior/${createHash('sha256').update(home.root).digest('hex').slice(0, 12)}`
}

function openCgroup(home: AgentHome, wanted: HostChoice['cgroup'], notes: string[]): CgroupDriver {
  const parent = cgroupParent(home)
  const driver =
    (wanted === undefined || wanted === 'v1' ? openV1(parent) : undefined) ??
    (wanted === undefined || wanted === 'v2' ? openV2(parent) : undefined) ??
    noCgroup
  if (driver.kind === 'none') {
    notes.push('No cgroup may be written here: memory is checked from time to time instead of at once, and CPU is not limited.')
    return driver
  }
  for (const [name, on] of Object.entries(driver.enforces)) {
    if (!on) notes.push(`The cgroup controller for ${name} cannot be used here, so ${name} is not limited exactly.`)
  }
  return driver
}

function chooseUsers(input: {
  home: AgentHome
  settings: AgentSettings
  tools: HostTools
  root: boolean
  wanted: boolean
  notes: string[]
}): Users | undefined {
  const { home, settings, tools, notes } = input
  if (!input.wanted) return undefined
  if (!input.root) {
    notes.push('Pavior does not run as root, so all apps run as its own user.')
    return undefined
  }
  const uid = String(settings.uidMin)
  const works =
    tools.setpriv &&
    spawnSync(tools.setpriv, [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', tools.sh, '-c', 'exit 0'], { env: {} }).status === 0
  if (!works) {
    notes.push('setpriv of util-linux is missing or not permitted, so all apps run as root.')
    return undefined
  }
  return new Users({ file: home.usersFile, passwdDirectory: home.passwd, uidMin: settings.uidMin })
}

async function trySandbox(
  base: RunHost,
  input: { root: boolean; wanted: HostChoice['sandbox']; notes: string[] },
): Promise<RunHost | undefined> {
  const { bwrap } = base.tools
  if (input.wanted === 'none') return undefined
  if (!bwrap) {
    input.notes.push('bubblewrap is not installed, so apps see the files of this machine (Debian: apt-get install bubblewrap).')
    return undefined
  }
  const host: RunHost = { ...base, sandbox: bubblewrap({ ...base.tools, bwrap }, { root: input.root, system: readSystemView() }) }
  const tried = await tryRuns(host)
  if (tried.works) return host
  input.notes.push(`bubblewrap does not work here, so apps see the files of this machine: ${tried.why}`)
  return undefined
}

/** What images need, tried by running one that holds nothing and by being root in a namespace; or why it does not work. */
async function tryImages(host: RunHost, root: boolean): Promise<ImageSupport | string> {
  const { unshare, nsenter, sh, setpriv, prlimit, script } = host.tools
  if (host.sandbox.kind === 'none') return 'bubblewrap is missing on this machine or does not work, and without it the files of an image cannot be shown to it.'
  if (!root) return 'Pavior does not run as root here, and only root may mount the files of an image.'
  if (!unshare || !nsenter) return 'unshare and nsenter of util-linux are missing on this machine.'
  const programs = { sh, cat: toolPath('cat'), sleep: toolPath('sleep'), env: toolPath('env'), ...(setpriv ? { setpriv } : {}), ...(prlimit ? { prlimit } : {}), ...(script ? { script } : {}) }
  try {
    const toolbox = await openToolbox(host.home.toolbox, programs)
    let namespace: Promise<number> | undefined
    const builderNamespace = () => (namespace ??= openUserNamespace({ unshare, sh }, { first: host.settings.builderUidMin, count: host.settings.builderUids }))
    const images: ImageSupport = { toolbox, builderNamespace }
    const image = { directory: '/', user: 'root', home: '/' }
    const tried = await Promise.all([
      tryOne({ ...host, images }, 'probe-image', { image, command: [...toolbox.words('sh'), '-c', 'exit 137'] }),
      tryOne({ ...host, images }, 'probe-builder', { imageBuilder: true, command: ['sh', '-c', 'exit 137'] }),
    ])
    const why = tried.find((each) => each !== undefined)
    return why === undefined ? images : `The files of an image cannot be mounted here: ${why}`
  } catch (error) {
    return `The files of an image cannot be mounted here: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Undefined when it ends as it should. */
async function tryOne(host: RunHost, id: string, workload: Pick<Workload, 'command' | 'image' | 'imageBuilder'>): Promise<string | undefined> {
  const directory = mkdtempSync(join(host.home.scratch, 'probe-'))
  const logFile = join(host.home.runs, `${id}-${process.pid}.log`)
  try {
    const { exit, neverRan } = await tryRun(host, { directory, logFile, id, ...workload })
    if (exit.code === 137 && !neverRan) return undefined
    return readFileSync(logFile, 'utf8').trim().split('\n').at(-1) || 'a process in it ends in an unexpected way'
  } finally {
    rmSync(directory, { recursive: true, force: true })
    rmSync(logFile, { force: true })
  }
}

async function tryPlain(base: RunHost, notes: string[]): Promise<RunHost> {
  let host = base
  const closed = host.users && closedAncestor(host.home.scratch)
  if (closed) {
    notes.push(
      `Without a sandbox, other users cannot reach ${base.home.root} because ${closed} is closed to them, so all apps run as root; \`chmod o+x\` lets them pass without showing what is in it.`,
    )
    host = { ...host, users: undefined }
  }
  for (const sh of [base.tools.sh, '/bin/dash', '/bin/bash'].filter(existsSync)) {
    const candidate = { ...host, tools: { ...host.tools, sh } }
    if ((await tryRuns(candidate)).works) return candidate
  }
  notes.push('No shell of this machine tells how a process ended: exit codes above 128 and signals cannot be told apart.')
  return host
}

/** The nearest directory above a path that other users may not pass through. */
function closedAncestor(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return at
    if (at === dirname(at)) return undefined
  }
}

/** Starts two processes that end in the two ways that are hardest to tell apart. */
async function tryRuns(host: RunHost): Promise<{ works: boolean; why: string }> {
  const directory = mkdtempSync(join(host.home.scratch, 'probe-'))
  const logFile = join(host.home.runs, `probe-${process.pid}.log`)
  try {
    const killed = await tryRun(host, { directory, logFile, id: 'probe-signal', command: ['sh', '-c', 'kill -9 $$'] })
    const exited = await tryRun(host, { directory, logFile, id: 'probe-code', command: ['sh', '-c', 'exit 137'] })
    const works = !killed.neverRan && !exited.neverRan && killed.exit.signal === 'SIGKILL' && exited.exit.code === 137
    return { works, why: readFileSync(logFile, 'utf8').trim().split('\n').at(-1) || 'its processes end in an unexpected way' }
  } catch (error) {
    return { works: false, why: error instanceof Error ? error.message : String(error) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
    rmSync(logFile, { force: true })
  }
}

async function tryRun(
  host: RunHost,
  input: { directory: string; logFile: string; id: string } & Pick<Workload, 'command' | 'image' | 'imageBuilder'>,
): Promise<RunEnd> {
  const { image, imageBuilder } = input
  const id = `${input.id}-${process.pid}`
  host.records.prepare(id)
  try {
    const run = await startRun(
      { ...host, users: undefined },
      {
        id,
        attempt: 0,
        workload: {
          team: 'pavior',
          app: 'probe',
          directory: input.directory,
          writable: imageBuilder ?? false,
          image,
          imageBuilder,
          command: input.command,
          env: {},
          limits: { memoryBytes: 64 * 1024 * 1024, cpu: 1, pids: 20 },
        },
        scratch: 'memory',
        input: false,
        logDescriptor: openSync(input.logFile, 'a', 0o600),
        logOffset: 0,
      },
    )
    return await run.ended
  } finally {
    host.records.remove(id)
  }
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function writable(directory: string): boolean {
  try {
    closeSync(openSync(join(directory, `.pavior-${process.pid}`), 'wx', 0o600))
    rmSync(join(directory, `.pavior-${process.pid}`), { force: true })
    return true
  } catch {
    return false
  }
}
