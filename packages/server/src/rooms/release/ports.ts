/** What room release needs from whatever runs work once: the release process before traffic moves, and one-off commands. */
import type { Duplex } from 'node:stream'
import type { Image, Limits, TaskSpec, TaskStatus } from '@pavior/contract'

/** A command in the files and environment of a release. */
export interface ArtifactTask {
  team: string
  app: string
  artifact: string
  command: string[]
  env: Record<string, string>
  mounts: string[]
  /** How the artifact is run when it is the root of a container image. */
  image?: Image
  limits: Limits
  timeoutMs: number
  interactive?: boolean
  terminal?: TaskSpec['terminal']
}

export interface ArtifactTasks {
  task: (id: string) => Promise<TaskStatus | undefined>
  cancelTask: (id: string, graceMs: number) => Promise<void>
  /** Idempotent by id. */
  run: (id: string, task: ArtifactTask) => Promise<TaskStatus>
  /** Input and output of a running task. */
  attach: (id: string) => Promise<Duplex>
}
