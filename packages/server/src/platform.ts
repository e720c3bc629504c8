/** `GET /v1/platform`, once or as it moves: what an administrator wants to know of the installation beyond its processes. No secrets. */
import { readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '@pavior/contract'
import { figuresEveryMs, moreEvery, sendLatest } from './kernel/api/lines.ts'
import { flag, type Query } from './kernel/api/query.ts'
import type { Routes } from './kernel/api/types.ts'
import type { EffectiveSetting } from './kernel/config/config.ts'
import type { Database } from './kernel/db/index.ts'
import { queueState } from './kernel/queue/queue.ts'

export interface PlatformDeps {
  database: Database
  home: string
  settings: EffectiveSetting[]
}

export function platformRoute({ database, home, settings }: PlatformDeps): Routes {
  return (app) => {
    const read = async (): Promise<object> => {
      const { rows } = await database.query<{ bytes: string; version: string }>(`select pg_database_size(current_database()) as bytes, current_setting('server_version') as version`)
      const disk = await statfs(home)
      return {
        queue: await queueState(database),
        storage: {
          home,
          diskBytes: disk.blocks * disk.bsize,
          freeBytes: disk.bavail * disk.bsize,
          databaseBytes: Number(rows[0]!.bytes),
          artifacts: await countTrees(join(home, 'artifacts')),
          sources: await countTrees(join(home, 'sources')),
        },
        versions: { node: process.versions.node, postgresql: rows[0]!.version },
        settings,
      }
    }
    app.get('/v1/platform', async ({ actor, query }, reply) => {
      if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not see the platform.`, why: 'It is for administrators of the platform.', fix: 'Ask one of them.' })
      return flag(query as Query, 'follow') ? sendLatest(reply, read, moreEvery(figuresEveryMs)) : read()
    })
  }
}

/** How many are kept; their sizes would cost a walk through every file. */
async function countTrees(store: string): Promise<number> {
  return (await readdir(join(store, 'sha256')).catch(() => [])).length
}
