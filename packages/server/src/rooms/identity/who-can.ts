/** `GET /v1/auth/…`: may I, who may, which roles are there, and by what does somebody hold what they hold. */
import { fail, verbs, type AccessRule } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../kernel/actor.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { KindDefinition, KindRegistry, Verb } from '../../kernel/kind.ts'
import { auditedTeams, mayAct } from '../../kernel/resources/index.ts'
import type { Authenticator, Owner } from './authenticate.ts'
import { builtInRoles } from './built-in.ts'
import type { Directories } from './directories.ts'
import type { Source } from './rights.ts'


interface Question {
  verb?: string
  kind?: string
  name?: string
  team?: string
  environment?: string
  /** Ask for somebody else: user:ada or serviceaccount:shop/ci. */
  as?: string
}

export interface WhoCanDeps {
  directories: Directories
  authenticator: Authenticator
  kinds: KindRegistry
}

/** A question with its words checked. */
interface Asked {
  verb: Verb
  /** Undefined: the audit. */
  kind: KindDefinition | undefined
  team: string
  name?: string
  environment?: string
}

export function whoCanRoutes({ directories, authenticator, kinds }: WhoCanDeps): Routes {
  const asked = ({ verb = '', kind: word = '', name, team = '', environment }: Question): Asked => {
    const kind = kinds.find(word) ?? kinds.find(word.toLowerCase())
    if (!kind && word.toLowerCase() !== 'audit') throw fail('BAD_REQUEST', { message: `There is no kind "${word.slice(0, 40)}".`, fix: `Use Audit, or one of: ${kinds.all.map((each) => each.kind).join(', ')}.` })
    if (!verbs.includes(verb as Verb)) throw fail('BAD_REQUEST', { message: `There is no verb "${verb.slice(0, 40)}".`, fix: `Use one of: ${verbs.join(', ')}.` })
    if (kind?.scope === 'Namespaced' && team === '') throw fail('BAD_REQUEST', { message: `${kind.kind} belongs to a team.`, fix: 'Name the team.' })
    return { verb: verb as Verb, kind, team: kind?.scope === 'Cluster' ? '' : team, name, environment }
  }

  const owners = function* (): Generator<Owner> {
    for (const { metadata, spec } of directories.users.values()) if (!spec.suspended) yield { kind: 'User', name: metadata.name }
    for (const { metadata, spec } of directories.serviceAccounts.values()) if (!spec.suspended) yield { kind: 'ServiceAccount', team: metadata.namespace!, name: metadata.name }
  }

  return (app: FastifyInstance) => {
    app.get<{ Querystring: Question }>('/v1/auth/can-i', async ({ actor, query }) => {
      const who = query.as === undefined ? actor : authenticator.actorOf(ownerNamed(query.as, directories))
      if (query.as !== undefined) mustSeeRights(actor, query.team ?? '')
      const question = asked(query)
      const allowed = answer(who, question)
      return { allowed, actor: who.name, reason: `${who.name} ${allowed ? 'may' : 'may not'} ${wordsOf(question)}.` }
    })

    app.get<{ Querystring: Question }>('/v1/auth/who-can', async ({ actor, query }) => {
      const question = asked(query)
      mustSeeRights(actor, question.team)
      const items = []
      for (const owner of owners()) {
        const who = authenticator.actorOf(owner)
        if (answer(who, question)) items.push({ name: who.name, ...(owner.kind === 'User' ? { displayName: directories.users.get('', owner.name)?.spec.displayName } : {}), by: reasons(authenticator.rightsOf(owner).sources.filter((source) => answer(authenticator.actorBy(source), question)), owner, directories) })
      }
      return { question: wordsOf(question), items: items.toSorted((one, other) => (one.name < other.name ? -1 : 1)) }
    })

    app.get('/v1/auth/rights', async ({ actor, query }) => {
      const { as } = query as Question
      const owner = ownerNamed(as ?? actor.name, directories)
      if (as !== undefined && as !== actor.name) mustSeeRights(actor, owner.kind === 'ServiceAccount' ? owner.team : '')
      const { sources, mayElevate } = authenticator.rightsOf(owner)
      const { name, admin } = authenticator.actorOf(owner)
      return { name, admin, sources: sources.map(shown), mayElevate: mayElevate === 'everywhere' ? mayElevate : [...mayElevate] }
    })

    app.get('/v1/auth/roles', async () => ({
      items: [
        ...Object.entries(builtInRoles).map(([name, { description, scope, rules, member }]) => ({ name, description, scope, builtIn: true, ...(member ? { member } : {}), rules })),
        ...[...directories.roles.values()].map(({ metadata, spec }) => ({ name: metadata.name, description: spec.description ?? '', scope: 'both', builtIn: false, rules: spec.rules as AccessRule[] })),
      ],
    }))
  }
}

function answer(actor: Actor, { verb, kind, team, name, environment }: Asked): boolean {
  if (!kind) return verb === 'get' && (auditedTeams(actor)?.includes(team) ?? true)
  const about = name === undefined && environment === undefined ? undefined : { name, ...(environment === undefined ? {} : { spec: { environment } }) }
  return mayAct(actor, verb, kind, team, about)
}

function wordsOf({ verb, kind, team, name, environment }: Asked): string {
  if (!kind) return `${verb === 'get' ? 'read' : verb} the audit${team === '' ? '' : ` of team ${team}`}`
  return `${verb} ${kind.plural}${name === undefined ? '' : ` "${name}"`}${environment === undefined ? '' : ` of environment ${environment}`}${team === '' ? '' : ` in team ${team}`}`
}

/** What is said here is who works where: for those who look after a team, and for auditors. */
function mustSeeRights(actor: Actor, team: string): void {
  const teams = auditedTeams(actor)
  if (teams === undefined || (team !== '' && teams.includes(team))) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not see what others may do${team === '' ? '' : ` in team ${team}`}.`, why: 'It is for administrators and auditors.', fix: team === '' ? 'Name a team that you administrate.' : `Ask an administrator of team ${team}.` })
}

/** Throws NOT_FOUND. */
export function ownerNamed(text: string, { users, serviceAccounts }: Directories): Owner {
  const [kind, rest = ''] = text.includes(':') ? text.split(':', 2) : ['user', text]
  const [team = '', name = ''] = rest.split('/', 2)
  if (kind === 'user' && users.get('', rest)) return { kind: 'User', name: rest }
  if (kind === 'serviceaccount' && serviceAccounts.get(team, name)) return { kind: 'ServiceAccount', team, name }
  throw fail('NOT_FOUND', { message: `There is no "${text.slice(0, 80)}".`, fix: 'Name a user (user:ada) or a service account (serviceaccount:shop/ci).' })
}

function reasons(sufficient: Source[], owner: Owner, { users }: Directories): ReturnType<typeof shown>[] {
  const administrator = owner.kind === 'User' && users.get('', owner.name)?.spec.admin ? [{ role: 'platform-admin', by: `User ${owner.name}` }] : []
  // Nothing of these: everybody who is signed in may.
  return administrator.length + sufficient.length > 0 ? [...administrator, ...sufficient.map(shown)] : [{ role: 'signed in', by: 'everybody' }]
}

function shown({ role, team, by, expiresAt }: Source): { role: string; team?: string; by: string; expiresAt?: string } {
  return { role, ...(team === undefined ? {} : { team }), by, ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }) }
}
