/** People and groups as a directory sees them, over our own resources. What a directory takes away is closed at once. */
import type { GroupSpec, Resource, UserSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import { hasCode } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Directories } from '../directories.ts'
import { nameFrom } from '../sso/plan.ts'
import { groupSchema, ScimError, userSchema, type Filter, type Person, type Team } from './plan.ts'

type User = Resource<UserSpec>
type Group = Resource<GroupSpec>

const actor = systemActor('scim')
/** On users whom a directory has deleted: they stay, suspended, so that nobody else ever gets their name and what it was given. */
const deletedLabel = 'pavior.dev/scim-deleted'
const mirrorTimeoutMs = 5000
const mostTries = 50
const longestGroupName = 50

export interface ScimDeps {
  resources: Resources
  directories: Directories
  publicUrl: () => string
  /** Ends everything that acts as this user. */
  shutOut: (username: string) => Promise<void>
}


export function createPeople({ resources, directories: { users, groups }, publicUrl, shutOut }: ScimDeps) {
  const settle = async <R extends Resource>(mirror: Mirror<R>, saved: R): Promise<R> => {
    await mirror.reached(saved.metadata.resourceVersion, mirrorTimeoutMs)
    return saved
  }
  const living = (): User[] => [...users.values()].filter(({ metadata }) => metadata.labels?.[deletedLabel] === undefined && !metadata.deletionTimestamp)
  const userWith = (id: string): User => found(living(), id, 'User')
  const groupWith = (id: string): Group => found(groups.values(), id, 'Group')

  const checkUnique = (userName: string, own: string | undefined): void => {
    if (living().some((user) => user.metadata.uid !== own && same(loginOf(user), userName))) throw new ScimError(409, 'uniqueness', `There is a user "${userName.slice(0, 60)}" already.`)
  }

  /** On the state that is stored, so that of two changes at once none is lost. */
  const writeUser = async (user: User, change: (person: Person) => Person): Promise<User> => {
    const saved = await resources.mutate<User>(actor, keyOf(user), (current) => {
      const person = change(toPerson(current!))
      checkUnique(person.userName, user.metadata.uid)
      return { ...current!, spec: specOf(person, current!.spec) }
    })
    // Also when it was suspended already: a token may have been made since.
    if (saved.spec.suspended) await shutOut(saved.metadata.name)
    return settle(users, saved)
  }

  const writeGroup = async (group: Group, change: (team: Team) => Team): Promise<Group> => {
    const saved = await resources.mutate<Group>(actor, keyOf(group), (current) => {
      const { externalId: _gone, ...kept } = current!.spec
      return { ...current!, spec: { ...kept, ...groupSpecOf(change(toTeam(current!))) } }
    })
    return settle(groups, saved)
  }

  const groupSpecOf = ({ displayName, externalId, members }: Team): GroupSpec => ({ displayName, ...(externalId === undefined ? {} : { externalId }), members: members.map((id) => ({ user: userWithValue(id).metadata.name })) })

  const toTeam = ({ spec }: Group): Team => ({ displayName: spec.displayName ?? '', ...(spec.externalId === undefined ? {} : { externalId: spec.externalId }), members: (spec.members ?? []).flatMap(({ user }) => idOf(user) ?? []) })

  const userWithValue = (id: string): User => {
    const user = living().find(({ metadata }) => metadata.uid === id)
    if (!user) throw new ScimError(400, 'invalidValue', `There is no User with the id "${id.slice(0, 60)}".`)
    return user
  }

  const idOf = (username: string): string | undefined => users.get('', username)?.metadata.uid

  return {
    users: {
      list: (filter: Filter | undefined): User[] => living().filter((user) => !filter || userMatches(user, filter)).toSorted(byAge),
      get: userWith,
      create: async (person: Person): Promise<User> => {
        checkUnique(person.userName, undefined)
        const saved = await createNamed(nameFrom(person.userName), (name) => resources.create<User>(actor, 'User', '', { metadata: { name }, spec: specOf(person, {}) }))
        return settle(users, saved)
      },
      write: writeUser,
      remove: async (user: User): Promise<void> => {
        const { displayName, admin: _admin } = user.spec
        const saved = await resources.mutate<User>(actor, keyOf(user), (current) => ({ ...current!, metadata: { ...current!.metadata, labels: { ...current!.metadata.labels, [deletedLabel]: 'true' } }, spec: { ...(displayName === undefined ? {} : { displayName }), suspended: true } }))
        await shutOut(saved.metadata.name)
        for (const group of [...groups.values()].filter(({ spec }) => spec.members?.some((member) => member.user === saved.metadata.name))) {
          await resources.mutate<Group>(actor, keyOf(group), (current) => ({ ...current!, spec: { ...current!.spec, members: current!.spec.members?.filter((member) => member.user !== saved.metadata.name) } }))
        }
        await settle(users, saved)
      },
      show: (user: User): object => showUser(user, [...groups.values()].filter(({ spec }) => spec.members?.some((member) => member.user === user.metadata.name)), publicUrl()),
    },
    groups: {
      list: (filter: Filter | undefined): Group[] => [...groups.values()].filter((group) => !filter || groupMatches(group, filter)).toSorted(byAge),
      get: groupWith,
      create: async (team: Team): Promise<Group> => {
        if ([...groups.values()].some(({ spec, metadata }) => same(spec.displayName ?? metadata.name, team.displayName))) throw new ScimError(409, 'uniqueness', `There is a group "${team.displayName.slice(0, 60)}" already.`)
        const spec = groupSpecOf(team)
        const saved = await createNamed(nameFrom(team.displayName).slice(0, longestGroupName), (name) => resources.create<Group>(actor, 'Group', '', { metadata: { name }, spec }))
        return settle(groups, saved)
      },
      write: writeGroup,
      remove: async (group: Group): Promise<void> => {
        await settle(groups, await resources.delete<Group>(actor, keyOf(group)))
      },
      show: (group: Group, withMembers: boolean): object => showGroup(group, withMembers, publicUrl(), idOf),
    },
  }
}

export type People = ReturnType<typeof createPeople>

/** The first of name, name-2, name-3, … that is free. */
async function createNamed<R>(wish: string, create: (name: string) => Promise<R>): Promise<R> {
  for (let tried = 1; ; tried++) {
    try {
      return await create(tried === 1 ? wish : `${wish}-${tried}`)
    } catch (error) {
      if (!hasCode(error, 'ALREADY_EXISTS', 'NAME_RESERVED') || tried >= mostTries) throw error
    }
  }
}

function keyOf({ kind, metadata }: Resource): { kind: string; namespace: string; name: string } {
  return { kind, namespace: '', name: metadata.name }
}

function found<R extends Resource>(all: Iterable<R>, id: string, kind: string): R {
  for (const each of all) if (each.metadata.uid === id) return each
  throw new ScimError(404, undefined, `There is no ${kind} with the id "${id.slice(0, 60)}".`)
}

function byAge(one: Resource, other: Resource): number {
  const [first, second] = [one, other].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.uid}`)
  return first! < second! ? -1 : 1
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

function loginOf({ spec, metadata }: User): string {
  return spec.login ?? metadata.name
}

function userMatches(user: User, { attribute, value }: Filter): boolean {
  if (attribute === 'userName') return same(loginOf(user), value)
  if (attribute === 'externalId') return user.spec.externalId === value
  return attribute === 'id' ? user.metadata.uid === value : same(user.spec.displayName ?? '', value)
}

function groupMatches({ spec, metadata }: Group, { attribute, value }: Filter): boolean {
  if (attribute === 'displayName') return same(spec.displayName ?? metadata.name, value)
  return attribute === 'externalId' ? spec.externalId === value : metadata.uid === value
}

function toPerson(user: User): Person {
  const { externalId, displayName, email, suspended } = user.spec
  return { userName: loginOf(user), ...(externalId === undefined ? {} : { externalId }), ...(displayName === undefined ? {} : { displayName }), ...(email === undefined ? {} : { email }), active: !suspended }
}

/** What else an administrator has said of the user stays. */
function specOf({ userName, externalId, displayName, email, active }: Person, { admin, subject }: UserSpec): UserSpec {
  return {
    login: userName,
    ...(externalId === undefined ? {} : { externalId }),
    ...(displayName === undefined ? {} : { displayName: displayName.slice(0, 100) }),
    ...(email === undefined ? {} : { email }),
    ...(admin === undefined ? {} : { admin }),
    ...(subject === undefined ? {} : { subject }),
    ...(active ? {} : { suspended: true }),
  }
}

function metaOf({ metadata }: Resource, resourceType: string, url: string): object {
  return { resourceType, created: metadata.creationTimestamp, version: `W/"${metadata.resourceVersion}"`, location: `${url}/scim/v2/${resourceType}s/${metadata.uid}` }
}

function showUser(user: User, groups: Group[], url: string): object {
  const { userName, externalId, displayName, email, active } = toPerson(user)
  return {
    schemas: [userSchema],
    id: user.metadata.uid,
    ...(externalId === undefined ? {} : { externalId }),
    userName,
    ...(displayName === undefined ? {} : { displayName, name: { formatted: displayName } }),
    ...(email === undefined ? {} : { emails: [{ value: email, type: 'work', primary: true }] }),
    active,
    groups: groups.map(({ metadata, spec }) => ({ value: metadata.uid, display: spec.displayName ?? metadata.name })),
    meta: metaOf(user, 'User', url),
  }
}

function showGroup(group: Group, withMembers: boolean, url: string, idOf: (username: string) => string | undefined): object {
  const { displayName, externalId, members = [] } = group.spec
  const shown = members.flatMap(({ user }) => {
    const id = idOf(user)
    return id === undefined ? [] : [{ value: id, display: user }]
  })
  return { schemas: [groupSchema], id: group.metadata.uid, ...(externalId === undefined ? {} : { externalId }), displayName: displayName ?? group.metadata.name, ...(withMembers ? { members: shown } : {}), meta: metaOf(group, 'Group', url) }
}
