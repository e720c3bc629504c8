/** Door of room identity: people, groups, teams, service accounts, roles, tokens, and every way of signing in. */
import type { IncomingMessage } from 'node:http'
import { fail } from '@pavior/contract'
import type { FastifyRequest } from 'fastify'
import type { Authenticate } from '../../kernel/api/types.ts'
import type { Actor } from '../../kernel/actor.ts'
import type { WriteNote } from '../../kernel/audit/notes.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { listenTo, type PgDatabase } from '../../kernel/db/index.ts'
import type { KindRegistry } from '../../kernel/kind.ts'
import type { Logger } from '../../kernel/log.ts'
import { authorize, type Admission, type Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createSealer } from '../../kernel/sealer.ts'
import { cliLoginRoutes } from './cli-login.ts'
import { accountsReconciler } from './accounts.ts'
import { createAuthenticator, type Authenticator } from './authenticate.ts'
import { bearerToken } from './bearer.ts'
import { ensureFoundation, issueLoginKey, issueToken } from './commands.ts'
import { createDirectories } from './directories.ts'
import { bindingsReconciler, elevationRoutes } from './elevation.ts'
import { refuseEscalation } from './escalation.ts'
import { team, user } from './kinds.ts'
import { clusterRoleBinding, group, identityProvider, role, roleBinding, serviceAccount } from './kinds-access.ts'
import { createLockout } from './lockout.ts'
import { memberRoutes } from './members.ts'
import { createNotes } from './notes.ts'
import { stillHolds } from './rights.ts'
import type { SingleSignOn } from './ports.ts'
import { identityRoutes } from './routes.ts'
import { scimRoutes } from './scim/routes.ts'
import { createKeptSecrets } from './secrets.ts'
import { checkOrigin, sameOrigin, sessionToken } from './session.ts'
import { createSecondFactors } from './second-factor.ts'
import { createSessions, signInRoutes } from './sign-in.ts'
import { ssoRoutes } from './sso/routes.ts'
import { firstUses, revocationsChannel, revokeTokensOf, tokensChannel } from './store.ts'
import { createCredentials, type Workload } from './workload/credential.ts'
import { createWorkloadKeys } from './workload/keys.ts'
import { longestTokenMs, tokenPath, workloadRoutes } from './workload/routes.ts'
import { whoCanRoutes } from './who-can.ts'

export const kinds = [team, user, group, role, roleBinding, clusterRoleBinding, serviceAccount, identityProvider]

const dayMs = 24 * 3600_000
const keySettings = { signsMs: 30 * dayMs, overlapMs: dayMs, longestTokenMs }

export interface IdentityReads {
  authenticate: Authenticate
  /** The same for a look that is no use of the token. */
  identify: Authenticate
  /** Whether a page of ours sent this. */
  sameOrigin: (request: Pick<IncomingMessage, 'headers'>) => boolean
  authenticator: Authenticator
  /** Whether `now` still holds what `then` held. */
  stillHolds: (now: Actor, then: Actor) => boolean
  /** Calls back when anybody's rights may have changed. */
  onRightsChange: (listener: () => void) => () => void
  /** Rules that keep people from giving what they do not hold. */
  admission: Admission
  /** The environment that a team deploys to when none is named. */
  defaultEnvironment: (team: string) => string
  teamExists: (team: string) => boolean
  /** A token for the CLI on this machine, for the administrator. */
  issueLocalToken: () => Promise<string>
  issueLoginLink: (user: string) => Promise<string>
  /** Variables with which an instance asks for tokens of its own; they are secrets of that app in that environment. */
  workloadCredential: (workload: Workload) => Promise<{ PAVIOR_ID_TOKEN_URL: string; PAVIOR_ID_TOKEN_REQUEST_TOKEN: string }>
  /** What an instance sends its telemetry with; opens nothing else. */
  telemetryToken: (workload: Workload) => Promise<string>
  /** Whose token this Authorization header carries; undefined when it is not one for telemetry. */
  telemetrySender: (authorization: string | undefined) => Promise<Workload | undefined>
  /** When somebody first signed in, and first used a token of their own. */
  firstUses: (username: string) => Promise<{ signedIn: Date | undefined; connected: Date | undefined }>
}

export interface IdentityDeps {
  database: PgDatabase
  resources: Resources
  events: EventRecorder
  kinds: KindRegistry
  clock: Clock
  log: Logger
  publicUrl: () => string
  defaultTeam: string
  auditNote: WriteNote
  sso: SingleSignOn
  sessions: SessionSettings
  /** File of the key that seals what only this platform reads. */
  keyFile: string
  /** Whether a password needs a second factor beside it. */
  secondFactorRequired: boolean
  /** Longest that somebody may take a higher role by themselves, in minutes; 0 never. */
  longestElevationMinutes: number
}

export interface SessionSettings {
  lifetimeMs: number
  /** A session that nobody uses for this long ends. */
  idleMs: number
}

export function createIdentity({ database, resources, events, auditNote, sso, kinds: registry, clock, log, publicUrl, defaultTeam, sessions: sessionSettings, keyFile, secondFactorRequired, longestElevationMinutes }: IdentityDeps): Room<IdentityReads> {
  const directories = createDirectories(resources, log)
  const { teams, roles } = directories
  const authenticator = createAuthenticator({ database, resources, directories, sessionIdleMs: sessionSettings.idleMs, clock, log })
  const note = createNotes(auditNote, log)
  const sealer = createSealer(keyFile)
  const secrets = createKeptSecrets(database, sealer)
  const credentials = createCredentials(secrets, 'workload')
  const telemetryCredentials = createCredentials(secrets, 'telemetry')
  const mayDeploy = (actor: Actor, { team: of, app, environment }: Workload): void => {
    if (actor.app === undefined || actor.app === app) return authorize(actor, 'create', registry.mustFind('Deployment'), of, { spec: { app, environment } })
    throw fail('FORBIDDEN', { message: `${actor.name} may act only for app "${actor.app}".` })
  }
  const shutOut = async (username: string): Promise<void> => {
    await revokeTokensOf(database, username)
    authenticator.forget()
  }
  const lockout = createLockout(database)
  const secondFactors = createSecondFactors(database, sealer, clock)
  const sessions = createSessions({ database, authenticator, clock, publicUrl, lifetimeMs: sessionSettings.lifetimeMs })
  const tokenNews = listenTo(database, tokensChannel, 'token news')
  const changed = new Set<() => void>()
  directories.onChange(() => changed.forEach((listener) => listener()))
  const revocations = listenTo(database, revocationsChannel, 'revocations')
  // Another replica may have revoked it.
  revocations.onMore(() => {
    authenticator.forget()
    changed.forEach((listener) => listener())
  })
  const foundation = { name: 'foundation', start: () => ensureFoundation(resources, defaultTeam), stop: async () => {} }
  const identify = async (request: FastifyRequest, options?: { quiet: boolean }): Promise<Actor> => {
    const session = request.headers.authorization === undefined ? sessionToken(request) : undefined
    if (session === undefined) return authenticator.byToken(bearerToken(request.headers.authorization), options)
    checkOrigin(request, session)
    return authenticator.byToken(session, options)
  }
  return {
    reconcilers: [bindingsReconciler({ resources, events, clock }), accountsReconciler({ database, resources })],
    routes: [
      identityRoutes({ database, resources, authenticator, clock, publicUrl, onMore: tokenNews.onMore, kinds: registry, note }),
      signInRoutes({ database, authenticator, lockout, secondFactors, secondFactorRequired, sessions, clock, note }),
      memberRoutes({ database, resources, clock, publicUrl }),
      ssoRoutes({ database, resources, directories, sso, secrets, sessions, authenticator, publicUrl, note, log }),
      scimRoutes({ database, resources, directories, authenticator, publicUrl, shutOut, clock, note }),
      workloadRoutes({ resources, keys: createWorkloadKeys({ database, sealer, clock, settings: keySettings }), credentials, publicUrl, mayDeploy, clock, note }),
      cliLoginRoutes({ database, clock, publicUrl, note }),
      elevationRoutes({ resources, authenticator, events, longestMinutes: longestElevationMinutes, clock }),
      whoCanRoutes({ directories, authenticator, kinds: registry }),
    ],
    parts: [foundation, ...directories.parts, tokenNews.part, revocations.part],
    reads: {
      sameOrigin,
      authenticate: (request) => identify(request),
      identify: (request) => identify(request, { quiet: true }),
      authenticator,
      stillHolds,
      onRightsChange: (listener) => {
        changed.add(listener)
        return () => changed.delete(listener)
      },
      admission: refuseEscalation({ kinds: () => registry.all, roleNamed: (name) => roles.get('', name)?.spec }),
      defaultEnvironment: (name) => teams.get('', name)?.spec.defaultEnvironment ?? 'production',
      teamExists: (name) => teams.get('', name) !== undefined,
      issueLocalToken: async () => (await issueToken(database, clock, 'system:identity', { description: 'command line of this machine', username: 'admin' })).token,
      firstUses: (username) => firstUses(database, username),
      workloadCredential: async (workload) => ({ PAVIOR_ID_TOKEN_URL: publicUrl() + tokenPath, PAVIOR_ID_TOKEN_REQUEST_TOKEN: await credentials.of(workload) }),
      telemetryToken: (workload) => telemetryCredentials.of(workload),
      telemetrySender: async (authorization) => telemetryCredentials.verify(bearerToken(authorization)),
      issueLoginLink: async (name) => `${publicUrl()}/welcome?key=${await issueLoginKey(database, clock, name)}`,
    },
  }
}
