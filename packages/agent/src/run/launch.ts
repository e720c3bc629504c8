/** From a workload to the one argument array that starts it. Pure but for what is passed in. */
import type { TaskSpec, Workload } from '@pavior/contract'
import type { ImageRoot } from '../image/root.ts'
import { toolboxPath, type Toolbox } from '../image/toolbox.ts'
import type { HostTools, SandboxDriver, SandboxPaths, SandboxView } from '../sandbox/driver.ts'
import { joinScript, parentScript, quote } from './shim.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface LaunchInput {
  workload: Workload
  tools: HostTools
  sandbox: SandboxDriver
  /** Files through which the cgroups are joined. */
  joinFiles: string[]
  /** The command with the environment entries that a shell cannot export in front. */
  command: string[]
  uid?: number
  passwdFile?: string
  scratch?: SandboxView['scratch']
  /** Host directory with the files of secrets. */
  secretFiles?: string
  /** Largest file that may be written, in bytes. */
  fileBytes?: number
  /** Largest number of processes of the user id, where no cgroup limits them. */
  userProcesses?: number
  /** The root of an image, and what must be shown in it. */
  image?: { root: ImageRoot; toolbox: Toolbox }
}

/** join cgroups → limits → root of the image → sandbox → drop rights → shim → command. */
export function launchCommand(input: LaunchInput): string[] {
  const { tools, sandbox, workload } = input
  const limits = [...(input.fileBytes === undefined ? [] : [`--fsize=${Math.floor(input.fileBytes)}`])]
  const { image } = input
  const own = (program: 'sh' | 'prlimit', path: string): string[] => (image ? image.toolbox.words(program) : [path])
  const scope = sandbox.ownsPids ? 'namespace' : 'tree'
  const signal = (workload.image?.stopSignal ?? 'SIGTERM').replace(/^SIG/, '')
  const command = workload.imageBuilder && sandbox.builder ? sandbox.builder({ mounts: workload.mounts ?? [] }, input.command) : input.command
  const shim = [...own('sh', tools.sh), '-c', parentScript, 'pavior-run', scope, resetWords(input), image ? toolPrefix(image.toolbox) : '', signal, ...command]
  const inside = input.userProcesses !== undefined && tools.prlimit ? [...own('prlimit', tools.prlimit), `--nproc=${input.userProcesses}`, ...shim] : shim
  return [
    tools.sh,
    '-c',
    joinScript,
    'pavior-join',
    String(input.joinFiles.length),
    ...input.joinFiles,
    ...(limits.length > 0 && tools.prlimit ? [tools.prlimit, ...limits] : []),
    ...(image?.root.mount ?? []),
    ...sandbox.command({
      directory: image?.root.directory ?? workload.directory,
      writable: workload.writable,
      mounts: workload.mounts ?? [],
      scratch: input.scratch,
      secretFiles: input.secretFiles,
      uid: input.uid,
      passwdFile: input.passwdFile,
      command: inside,
      ...(image && workload.image ? { image: { ...workload.image, toolbox: image.toolbox.directory, words: image.toolbox.words } } : {}),
      imageBuilder: workload.imageBuilder,
    }),
  ]
}

/** The shim's `$2`: words that it splits itself. */
function resetWords({ tools, image }: LaunchInput): string {
  if (!image || tools.resetSignals === '') return tools.resetSignals
  return [...image.toolbox.words('env'), ...tools.resetSignals.split(' ').slice(1)].join(' ')
}

/** The shim's `$3`: what stands right before the name of a program. */
function toolPrefix(toolbox: Toolbox): string {
  return [...toolbox.words('').slice(0, -1), `${toolboxPath}/bin/`].join(' ')
}

/** The environment of a process: the workload's own, and what the agent sets over it. */
export function launchEnvironment(
  workload: Workload,
  paths: SandboxPaths,
  run: { id: string; port?: number; terminal: boolean },
): Record<string, string> {
  // The server knows the set; which instance of it this is, only we do.
  const { OTEL_RESOURCE_ATTRIBUTES } = workload.env
  return {
    PATH: defaultPath,
    ...(run.terminal ? { TERM: 'xterm-256color' } : {}),
    ...workload.env,
    ...(run.port === undefined ? {} : { PORT: String(run.port) }),
    HOME: paths.home,
    TMPDIR: paths.temporary,
    APP_DIR: paths.app,
    PAVIOR_INSTANCE: run.id,
    ...(OTEL_RESOURCE_ATTRIBUTES === undefined ? {} : { OTEL_RESOURCE_ATTRIBUTES: OTEL_RESOURCE_ATTRIBUTES.replace('$(PAVIOR_INSTANCE)', run.id) }),
  }
}

/**
 * Runs a command on a pseudo terminal by script(1), which takes a shell line rather than an argument array:
 * every word is quoted by itself.
 */
export function onTerminal(script: string[], terminal: NonNullable<TaskSpec['terminal']>, command: string[]): string[] {
  const size = `stty columns ${Math.floor(terminal.columns)} rows ${Math.floor(terminal.rows)}`
  return [...script, '--quiet', '--return', '--flush', '--command', `${size}; exec ${command.map(quote).join(' ')}`, '/dev/null']
}
