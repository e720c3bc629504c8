/** The first days of who asks, and of everybody for those who run the platform. */
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Routes } from '../../kernel/api/types.ts'
import type { Database } from '../../kernel/db/index.ts'
import { onboardingOf, personaOf, summaryOf, type Milestones } from './plan.ts'
import { everyone, milestonesOf, note, takeAudit } from './store.ts'

export interface ProductRoutesDeps {
  database: Database
  /** When somebody first signed in, and first used a token of their own. */
  firstUses: (username: string) => Promise<{ signedIn: Date | undefined; connected: Date | undefined }>
}

export function productRoutes({ database, firstUses }: ProductRoutesDeps): Routes {
  /** Tokens are of room identity: what they tell is taken when it is asked for. */
  const read = async (username: string): Promise<Milestones> => {
    const { signedIn, connected } = await firstUses(username)
    if (signedIn) await note(database, username, 'signed-in', signedIn)
    if (connected) await note(database, username, 'connected', connected)
    return milestonesOf(database, username)
  }

  return (app: FastifyInstance) => {
    app.get('/v1/onboarding', async ({ actor }) => {
      if (actor.kind !== 'user') throw fail('FORBIDDEN', { message: `${actor.name} is no person.`, fix: 'Ask with a token of your own.' })
      await takeAudit(database)
      return onboardingOf(personaOf(actor), await read(actor.name.slice('user:'.length)))
    })

    app.get('/v1/onboarding/summary', async ({ actor }) => {
      if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not see how others begin.`, fix: 'Ask an administrator of the platform.' })
      await takeAudit(database)
      const people = await everyone(database)
      const all = await Promise.all([...people.keys()].map(read))
      return summaryOf(all)
    })
  }
}
