/** What lets somebody in goes with the account: a new one of the same name begins with nothing. */
import { systemActor } from '../../kernel/actor.ts'
import type { Database } from '../../kernel/db/index.ts'
import { done, itself, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { user } from './kinds.ts'
import { serviceAccount } from './kinds-access.ts'
import { forgetUser, revokeServiceAccountTokens } from './store.ts'

const controller = 'accounts'
const system = systemActor(controller)

export function accountsReconciler({ database, resources }: { database: Database; resources: Resources }): Reconciler {
  return {
    name: controller,
    concurrency: 2,
    interests: [itself(user), itself(serviceAccount)],
    reconcile: async (key) => {
      const { namespace, name } = splitKey(key)
      const kind = namespace === '' ? 'User' : 'ServiceAccount'
      if (await resources.get(system, { kind, namespace, name })) return done
      if (kind === 'User') await forgetUser(database, name)
      else await revokeServiceAccountTokens(database, namespace, name)
      return done
    },
  }
}
