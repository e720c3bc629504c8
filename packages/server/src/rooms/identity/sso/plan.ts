/** Who somebody is, by the claims of an identity provider: pure. */
import { fail, type GroupSpec, type IdentityProviderSpec, type Resource, type UserSpec } from '@pavior/contract'
import type { Claims } from '../ports.ts'

type User = Resource<UserSpec>

/** What is asked of the directory before it is decided. */
export interface Person {
  /** `<provider>/<sub>`. */
  subject: string
  /** Only a mail address that the provider has verified. */
  email?: string
  login?: string
  displayName?: string
}

export function personOf(provider: string, { sub, all }: Claims): Person {
  const text = (name: string): string | undefined => (typeof all[name] === 'string' && all[name] !== '' ? all[name].slice(0, 254) : undefined)
  return {
    subject: `${provider}/${sub}`,
    ...(all.email_verified === true && text('email') ? { email: text('email')!.toLowerCase() } : {}),
    ...(text('preferred_username') ? { login: text('preferred_username') } : {}),
    ...(text('name') ? { displayName: text('name')!.slice(0, 100) } : {}),
  }
}

export type SignInPlan = { act: 'sign-in'; user: User } | { act: 'link'; user: User } | { act: 'create'; spec: UserSpec; wish: string }

/** `known`: users with this subject, verified mail address or login. Throws SSO_REFUSED. */
export function planSignIn(person: Person, { users = 'create', allowedDomains, displayName }: IdentityProviderSpec, known: User[]): SignInPlan {
  const domain = person.email?.split('@').at(-1)
  if (allowedDomains && (domain === undefined || !allowedDomains.includes(domain))) {
    throw refused(`${displayName} signed in ${person.email ?? 'somebody without a verified mail address'}, who does not belong to ${allowedDomains.join(', ')}.`)
  }
  const own = known.find(({ spec }) => spec.subject === person.subject)
  // A directory that provisions people vouches for their login names; otherwise only a verified address tells who it is.
  const alike = known.find(({ spec }) => (person.email !== undefined && spec.email?.toLowerCase() === person.email) || (spec.externalId !== undefined && spec.login !== undefined && (spec.login === person.login || spec.login.toLowerCase() === person.email)))
  const user = own ?? alike
  if (user?.spec.suspended) throw refused(`The account "${user.metadata.name}" is suspended.`)
  if (own) return { act: 'sign-in', user: own }
  if (alike) {
    if (alike.spec.subject !== undefined) throw refused(`The account "${alike.metadata.name}" belongs to another person at an identity provider.`)
    return { act: 'link', user: alike }
  }
  if (users === 'known') throw refused(`${displayName} signed in ${person.email ?? person.login ?? 'somebody'}, who has no account here.`)
  const { subject, email, login, displayName: name } = person
  return { act: 'create', wish: nameFrom(login ?? email ?? name ?? 'person'), spec: { subject, ...(name ? { displayName: name } : {}), ...(email ? { email } : {}), ...(login ? { login } : {}) } }
}

const longestName = 34

/** A name that a user can have, from a login or a mail address. */
export function nameFrom(text: string): string {
  const name = text
    .split('@')[0]!
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, longestName)
    .replaceAll(/-+$/g, '')
  return name === '' || name === 'system' ? 'person' : name
}

/** The values of the claim; what is no list of names counts as none. */
export function groupsClaimed({ all }: Claims, claim: string): string[] {
  const value = all[claim]
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

export interface MembershipChange {
  group: string
  member: boolean
}

/** Only groups that this provider fills are touched; who is claimed no more is out. */
export function planGroups(username: string, provider: string, claimed: string[], groups: Iterable<Resource<GroupSpec>>): MembershipChange[] {
  const changes: MembershipChange[] = []
  for (const { metadata, spec } of groups) {
    if (spec.claim?.provider !== provider) continue
    const wanted = claimed.includes(spec.claim.value)
    const is = spec.members?.some(({ user }) => user === username) ?? false
    if (wanted !== is) changes.push({ group: metadata.name, member: wanted })
  }
  return changes
}

function refused(message: string): Error {
  return fail('SSO_REFUSED', { message })
}
