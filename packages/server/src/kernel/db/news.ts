/** A channel of the database as something to listen to, over all replicas. */
import type { Part } from '../lifecycle/lifecycle.ts'
import type { PgDatabase } from './pool.ts'

export interface News {
  part: Part
  /** Calls back at every notification with what it says, and without after a lost connection; returns the function that ends it. */
  onMore: (listener: (about?: string) => void) => () => void
}

export function listenTo(database: PgDatabase, channel: string, name: string): News {
  const listeners = new Set<(about?: string) => void>()
  const tell = (about?: string): void => {
    for (const listener of listeners) listener(about)
  }
  return {
    part: { name, start: () => database.listen(channel, tell, () => tell()), stop: async () => listeners.clear() },
    onMore: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
