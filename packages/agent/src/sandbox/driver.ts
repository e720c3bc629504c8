/** How a process is kept away from what is not its own. One conformance suite runs over every driver. */
import type { Mount, WorkloadImage } from '@pavior/contract'

/** What a process shall see, and the command that runs there. */
export interface SandboxView {
  /** Host directory of the app's files. */
  directory: string
  writable: boolean
  mounts: Mount[]
  /** Host directories for files that are gone with the run; memory is used when absent (where the driver can). */
  scratch?: { home: string; temporary: string }
  /** Host directory with the files of secrets. */
  secretFiles?: string
  /** Own user and group id, when the host permits one per app. */
  uid?: number
  /** File that stands in for /etc/passwd, so that the user id has a name. */
  passwdFile?: string
  /** What runs inside. */
  command: string[]
  /** `directory` is the root of an image, mounted for this run alone; it shows the toolbox too. */
  image?: WorkloadImage & { toolbox: string; words: (program: string) => string[] }
  /** The command has every right over the user namespace at descriptor 6. */
  imageBuilder?: boolean
}

/** The paths by which the process knows its places. */
export interface SandboxPaths {
  app: string
  home: string
  temporary: string
  /** Where the files of secrets are, if there are any. */
  secrets: string
}

export interface SandboxDriver {
  readonly kind: 'bubblewrap' | 'none'
  /** Whether the first process has a pid namespace of its own: its end is the end of everything inside. */
  readonly ownsPids: boolean
  /** Whether `scratch` may be left out. */
  readonly memoryScratch: boolean
  /** Argument array that runs `view.command`. */
  command(view: SandboxView): string[]
  paths(view: Pick<SandboxView, 'directory' | 'scratch' | 'secretFiles'> & { image?: WorkloadImage }): SandboxPaths
  /** The command of an image builder, with a view of its own that it may mount in. */
  builder?(view: Pick<SandboxView, 'mounts'>, command: string[]): string[]
  /** Host path behind a path of the process, for looking at its size. */
  hostPath(pid: number, path: string): string
}

/** Tools of the host that commands are built from: absolute paths. */
export interface HostTools {
  sh: string
  bwrap?: string
  setpriv?: string
  prlimit?: string
  script?: string
  fallocate?: string
  chown?: string
  du?: string
  nsenter?: string
  unshare?: string
  /** Command words that reset SIGINT and SIGQUIT to their defaults, empty when `env` cannot. */
  resetSignals: string
}
