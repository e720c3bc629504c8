/** What every run needs of the machine and of the agent, built once in main. */
import type { Logger } from 'pino'
import type { CgroupDriver } from '../cgroup/driver.ts'
import type { AgentHome } from '../home.ts'
import type { Toolbox } from '../image/toolbox.ts'
import type { HostTools, SandboxDriver } from '../sandbox/driver.ts'
import type { AgentSettings } from '../settings.ts'
import type { RecordStore } from '../state/records.ts'
import type { Users } from '../users.ts'

export interface ImageSupport {
  toolbox: Toolbox
  /** Descriptor of the user namespace of image builders, made when the first is started. */
  builderNamespace: () => Promise<number>
}

export interface RunHost {
  home: AgentHome
  settings: AgentSettings
  tools: HostTools
  sandbox: SandboxDriver
  cgroup: CgroupDriver
  /** What images need to be built and run; absent where they cannot be. */
  images?: ImageSupport
  /** Absent where processes run as the agent's own user. */
  users?: Users
  records: RecordStore
  bootId: string
  /** Directory in memory for files that must not reach a disk. */
  memoryDirectory: string
  log: Logger
}
