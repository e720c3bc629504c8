/** A new master key: every data key is wrapped anew, the values themselves are not touched. */
import type { RekeyProgress } from '@pavior/contract'
import type { Database } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import { contextOf } from './envelope.ts'
import type { MasterKeys } from './ports.ts'
import { holdKeys, holdKeysAlone, keysInUse, keysToWrap, storeWrapped } from './store.ts'

/** Keys that one transaction wraps: what a crash can undo. */
const batch = 100

export interface Rekey {
  /** Makes a new master key where Pavior keeps it, and goes on until nothing needs another; tells how far it is. */
  run(tell: (progress: RekeyProgress) => Promise<void>, signal: AbortSignal): Promise<void>
  /** Goes on with what a crash left. */
  part: Part
}

export function createRekey({ database, keys, log }: { database: Database; keys: MasterKeys; log: Logger }): Rekey {
  let last: Promise<unknown> = Promise.resolve()

  const wrapBatch = async (current: string): Promise<number> =>
    database.transaction(async (tx) => {
      await holdKeys(tx)
      const rows = await keysToWrap(tx, current, batch)
      const wrapped = []
      for (const { secret, version, ...key } of rows) {
        const dataKey = await keys.unwrap(key, contextOf({ secret, version }))
        wrapped.push({ secret, version, ...(await keys.wrap(dataKey, contextOf({ secret, version }))) })
        dataKey.fill(0)
      }
      if (wrapped.length > 0) await storeWrapped(tx, wrapped)
      return rows.length
    })

  const wrapAll = async (tell: (progress: RekeyProgress) => Promise<void>, signal: AbortSignal): Promise<void> => {
    const current = await keys.current()
    for (let wrapped = 0; ; ) {
      const remaining = (await keysInUse(database)).filter(({ keyId }) => keyId !== current).reduce((sum, { values }) => sum + values, 0)
      await tell({ key: current, wrapped, remaining })
      if (remaining === 0 || signal.aborted) break
      const done = await wrapBatch(current)
      // The rest is held by another server, which wraps it.
      if (done === 0) break
      wrapped += done
    }
    await database.transaction(async (tx) => {
      await holdKeysAlone(tx)
      await keys.retire(new Set((await keysInUse(tx)).map(({ keyId }) => keyId)))
    })
  }

  const oneAtATime = (work: () => Promise<void>): Promise<void> => {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }

  return {
    run: (tell, signal) =>
      oneAtATime(async () => {
        await keys.renew()
        await wrapAll(tell, signal)
      }),
    part: {
      name: 'master key',
      start: async (signal) => {
        void oneAtATime(async () => {
          const inUse = await keysInUse(database)
          if (inUse.length === 0) return
          const current = await keys.current()
          if (inUse.some(({ keyId }) => keyId !== current)) await wrapAll(async ({ wrapped, remaining }) => log.info({ wrapped, remaining }, 'wrapping the keys of secrets with the master key of today'), signal)
        }).catch((error: Error) => log.warn({ err: error.message }, 'secrets are sealed; apps that run go on with what they have'))
      },
      stop: async () => {
        await last
      },
    },
  }
}
