/** From checked claims to a User of ours: found, linked or made, with the groups that the claims say. */
import type { GroupSpec, IdentityProviderSpec, Resource, UserSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import { hasCode, ignore } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Directories } from '../directories.ts'
import type { Claims } from '../ports.ts'
import { groupsClaimed, personOf, planGroups, planSignIn, type Person } from './plan.ts'

type User = Resource<UserSpec>
type Group = Resource<GroupSpec>

const actor = systemActor('sso')
/** A write of ours is in the live copies within milliseconds; without it the session would begin with the rights of before. */
const mirrorTimeoutMs = 5000
const mostTries = 20

export interface PeopleDeps {
  resources: Resources
  directories: Directories
}

/** The name of the user. Throws SSO_REFUSED. */
export async function admitPerson(deps: PeopleDeps, provider: string, spec: IdentityProviderSpec, claims: Claims): Promise<string> {
  const person = personOf(provider, claims)
  const user = await userOf(deps, person, spec)
  await deps.directories.users.reached(user.metadata.resourceVersion, mirrorTimeoutMs)
  if (spec.groupsClaim !== undefined) await syncGroups(deps, user.metadata.name, provider, groupsClaimed(claims, spec.groupsClaim))
  return user.metadata.name
}

async function userOf(deps: PeopleDeps, person: Person, spec: IdentityProviderSpec): Promise<User> {
  for (let tried = 0; ; tried++) {
    const plan = planSignIn(person, spec, await known(deps.resources, person))
    if (plan.act === 'sign-in') return plan.user
    try {
      if (plan.act === 'link') return await deps.resources.mutate<User>(actor, { kind: 'User', namespace: '', name: plan.user.metadata.name }, (current) => ({ ...current!, spec: { ...current!.spec, subject: current!.spec.subject ?? person.subject } }))
      return await createUser(deps.resources, plan.wish, plan.spec, tried)
    } catch (error) {
      // The name is somebody else's, or the same person signs in twice at once: look again.
      if (!hasCode(error, 'ALREADY_EXISTS') || tried >= mostTries) throw error
    }
  }
}

function createUser(resources: Resources, wish: string, spec: UserSpec, tried: number): Promise<User> {
  return resources.create<User>(actor, 'User', '', { metadata: { name: tried === 0 ? wish : `${wish}-${tried + 1}` }, spec })
}

/** Asked of the database, not of the copies: whoever was made a moment ago is found. */
async function known(resources: Resources, { subject, email, login }: Person): Promise<User[]> {
  const by = async (path: string, value: string | undefined): Promise<User[]> => (value === undefined ? [] : (await resources.list<User>(actor, 'User', undefined, { fields: [{ path, operator: '=', value }] })).items)
  return [...(await by('spec.subject', subject)), ...(await by('spec.email', email)), ...(await by('spec.login', login)), ...(await by('spec.login', email))]
}

async function syncGroups({ resources, directories }: PeopleDeps, username: string, provider: string, claimed: string[]): Promise<void> {
  const groups = await resources.listAll<Group>(actor, 'Group')
  for (const { group, member } of planGroups(username, provider, claimed, groups)) {
    const changed = await resources
      .mutate<Group>(actor, { kind: 'Group', namespace: '', name: group }, (current) => {
        const others = (current!.spec.members ?? []).filter(({ user }) => user !== username)
        return { ...current!, spec: { ...current!.spec, members: member ? [...others, { user: username }] : others } }
      })
      .catch(ignore('NOT_FOUND'))
    if (changed) await directories.groups.reached(changed.metadata.resourceVersion, mirrorTimeoutMs)
  }
}
