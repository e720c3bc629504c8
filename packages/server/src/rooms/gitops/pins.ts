/**
 * Which release an environment was taken back to is the platform's to say, and so it is written back into the file that declares
 * the app: a commit that people see, fetch and build upon.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AppSpec } from '@pavior/contract'
import { parseAllDocuments, type Document } from 'yaml'
import type { Clock } from '../../kernel/clock.ts'
import type { ConfigFile } from './parse.ts'
import type { Looked } from './plan.ts'
import type { Repositories } from './ports.ts'
import { branchOf, placeOf } from './place.ts'
import type { ConfigRepo } from './sync.ts'

export interface PinDeps {
  repositories: Repositories
  clock: Clock
}

/** Whether a commit was made. Only where the repository is kept here. */
export async function writePins({ repositories, clock }: PinDeps, repo: ConfigRepo, head: string, files: readonly ConfigFile[], looked: readonly Looked[]): Promise<boolean> {
  if (!repo.spec.hosted) return false
  for (const { declared, live } of looked) {
    const pinned = (live?.spec as AppSpec | undefined)?.pinned
    if (declared.kind !== 'App' || !live || isDeepStrictEqual(pinned ?? {}, declared.spec.pinned ?? {})) continue
    const file = files.find(({ path }) => path === declared.file)!
    const content = withPins(file.content.toString(), declared.name, pinned)
    // Written in a way that cannot be changed in place: the pin holds all the same.
    if (content === file.content.toString()) continue
    await repositories.write(placeOf(repo), branchOf(repo), head, file.path, content, { message: messageOf(declared.name, pinned), at: clock.now().toISOString() })
    return true
  }
  return false
}

function messageOf(app: string, pinned: AppSpec['pinned'] = {}): string {
  const pins = Object.entries(pinned)
  if (pins.length === 0) return `Unpin ${app}: another revision serves`
  const lines = pins.map(([environment, { release, artifact, reason }]) => `${environment}: v${release} (${artifact.slice(0, 19)}). ${reason}`)
  return `Pin ${app} in ${pins.map(([environment]) => environment).join(', ')}\n\n${lines.join('\n')}`
}

/** The file with the pins of an App, and everything else of it as people wrote it. Pure. */
export function withPins(text: string, app: string, pinned: AppSpec['pinned']): string {
  const documents = parseAllDocuments(text) as Document[]
  for (const document of documents) {
    if (document.get('kind') !== 'App' || document.getIn(['metadata', 'name']) !== app) continue
    if (pinned && Object.keys(pinned).length > 0) document.setIn(['spec', 'pinned'], document.createNode(pinned))
    else document.deleteIn(['spec', 'pinned'])
  }
  return documents
    .map((document) => document.toString({ lineWidth: 0 }))
    .map((one, index) => (index === 0 || one.startsWith('---') ? one : `---\n${one}`))
    .join('')
}
