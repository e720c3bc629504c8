/** Door of room identity: people, teams, tokens. */
import type { IncomingMessage } from 'node:http'
import type { Resource, TeamSpec, UserSpec, UserStatus } from '@pavior/contract'
import type { Authenticate } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import { listenTo, type PgDatabase } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createAuthenticator, type Authenticator } from './authenticate.ts'
import { ensureFoundation, issueLoginKey, issueToken } from './commands.ts'
import { team, user } from './kinds.ts'
import { memberRoutes } from './members.ts'
import { identityRoutes } from './routes.ts'
import { bearerToken } from './bearer.ts'
import { firstUses, tokensChannel } from './store.ts'
import { checkOrigin, sameOrigin, sessionToken } from './session.ts'
import { signInRoutes } from './sign-in.ts'

export const kinds = [team, user]

export interface IdentityReads {
  authenticate: Authenticate
  /** Whether a page of ours sent this. */
  sameOrigin: (request: Pick<IncomingMessage, 'headers'>) => boolean
  authenticator: Authenticator
  /** The environment that a team deploys to when none is named. */
  defaultEnvironment: (team: string) => string
  teamExists: (team: string) => boolean
  /** A token for the CLI on this machine, for the administrator. */
  issueLocalToken: () => Promise<string>
  issueLoginLink: (user: string) => Promise<string>
  /** When somebody first signed in, and first used a token of their own. */
  firstUses: (username: string) => Promise<{ signedIn: Date | undefined; connected: Date | undefined }>
}

export interface IdentityDeps {
  database: PgDatabase
  resources: Resources
  clock: Clock
  log: Logger
  publicUrl: () => string
  defaultTeam: string
}

export function createIdentity({ database, resources, clock, log, publicUrl, defaultTeam }: IdentityDeps): Room<IdentityReads> {
  const users = new Mirror<Resource<UserSpec, UserStatus>>(resources, 'User', log)
  const teams = new Mirror<Resource<TeamSpec>>(resources, 'Team', log)
  const authenticator = createAuthenticator({ database, resources, users, teams, clock, log })
  const tokenNews = listenTo(database, tokensChannel, 'token news')
  const foundation = { name: 'foundation', start: () => ensureFoundation(resources, defaultTeam), stop: async () => {} }
  return {
    reconcilers: [],
    routes: [identityRoutes({ database, resources, authenticator, clock, publicUrl, onMore: tokenNews.onMore }), signInRoutes({ database, authenticator, clock, publicUrl }), memberRoutes({ database, resources, clock, publicUrl })],
    parts: [foundation, users, teams, tokenNews.part],
    reads: {
      sameOrigin,
      authenticate: async (request) => {
        const session = request.headers.authorization === undefined ? sessionToken(request) : undefined
        if (session === undefined) return authenticator.byToken(bearerToken(request.headers.authorization))
        checkOrigin(request, session)
        return authenticator.byToken(session)
      },
      authenticator,
      defaultEnvironment: (name) => teams.get('', name)?.spec.defaultEnvironment ?? 'production',
      teamExists: (name) => teams.get('', name) !== undefined,
      issueLocalToken: async () => (await issueToken(database, clock, 'system:identity', { description: 'command line of this machine', username: 'admin' })).token,
      firstUses: (username) => firstUses(database, username),
      issueLoginLink: async (name) => `${publicUrl()}/welcome?key=${await issueLoginKey(database, clock, name)}`,
    },
  }
}
