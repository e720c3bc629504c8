/** SCIM 2.0 (RFC 7643, RFC 7644) without any I/O: filters, patches in the forms that directories send, and what a resource looks like. */

export class ScimError extends Error {
  readonly status: number
  /** As in RFC 7644, table 9. */
  readonly scimType: string | undefined

  constructor(status: number, scimType: string | undefined, message: string) {
    super(message)
    this.status = status
    this.scimType = scimType
  }
}

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
export const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error'
const enterprise = 'urn:ietf:params:scim:schemas:extension:'

/** What we keep of a person. */
export interface Person {
  userName: string
  externalId?: string
  displayName?: string
  email?: string
  active: boolean
}

export interface Team {
  displayName: string
  externalId?: string
  /** Ids of people. */
  members: string[]
}

export interface Operation {
  op: 'add' | 'replace' | 'remove'
  path?: string
  value?: unknown
}

const longest = 254
const mostOperations = 1000
const mostMembers = 10_000
/** Core attributes that directories send and that we have no use for. */
const unused = new Set(['schemas', 'meta', 'id', 'nickname', 'profileurl', 'title', 'usertype', 'preferredlanguage', 'locale', 'timezone', 'password', 'phonenumbers', 'ims', 'photos', 'addresses', 'groups', 'entitlements', 'roles', 'x509certificates'])

export interface Filter {
  attribute: string
  value: string
}

/** `userName eq "ada"`; the one form that directories ask with. */
export function parseFilter(text: string, attributes: readonly string[]): Filter {
  const match = /^\s*([A-Za-z][A-Za-z0-9.:]*)\s+eq\s+("(?:[^"\\]|\\.)*")\s*$/i.exec(text)
  const attribute = attributes.find((each) => each.toLowerCase() === match?.[1]?.replace(/^urn:.*:/, '').toLowerCase())
  if (!match || attribute === undefined) throw new ScimError(400, 'invalidFilter', `The filter must be one of ${attributes.map((each) => `${each} eq "…"`).join(', ')}.`)
  try {
    return { attribute, value: JSON.parse(match[2]!) as string }
  } catch {
    throw new ScimError(400, 'invalidFilter', 'The value of the filter is not a string of JSON.')
  }
}

/** A whole person, as in POST and PUT. */
export function personOf(body: unknown): Person {
  const given = objectOf(body, 'The body')
  if (typeof given.userName !== 'string' || given.userName.trim() === '') throw new ScimError(400, 'invalidValue', 'userName is required.')
  const person: Person = { userName: given.userName, active: true }
  assign(person, given)
  return person
}

export function teamOf(body: unknown): Team {
  const given = objectOf(body, 'The body')
  if (typeof given.displayName !== 'string' || given.displayName.trim() === '') throw new ScimError(400, 'invalidValue', 'displayName is required.')
  return { displayName: textOf(given.displayName, 'displayName')!, ...(given.externalId == null ? {} : { externalId: textOf(given.externalId, 'externalId')! }), members: given.members == null ? [] : memberIds(given.members) }
}

/** The operations of a PATCH; refused whole when one cannot be understood. */
export function operationsOf(body: unknown): Operation[] {
  const { Operations: list, schemas } = objectOf(body, 'The body') as { Operations?: unknown; schemas?: unknown }
  if (schemas !== undefined && !(Array.isArray(schemas) && schemas.includes(patchSchema))) throw new ScimError(400, 'invalidSyntax', `A PATCH has the schema ${patchSchema}.`)
  if (!Array.isArray(list) || list.length === 0 || list.length > mostOperations) throw new ScimError(400, 'invalidSyntax', `A PATCH has 1 to ${mostOperations} Operations.`)
  return list.map((each) => {
    const { op, path, value } = objectOf(each, 'An operation')
    const name = typeof op === 'string' ? op.toLowerCase() : ''
    if (name !== 'add' && name !== 'replace' && name !== 'remove') throw new ScimError(400, 'invalidSyntax', 'op is add, replace or remove.')
    if (path !== undefined && (typeof path !== 'string' || path.length > 1000)) throw new ScimError(400, 'invalidPath', 'path is a string.')
    if (name === 'remove' && path === undefined) throw new ScimError(400, 'noTarget', 'A remove needs a path.')
    if (name !== 'remove' && value === undefined) throw new ScimError(400, 'invalidValue', `${name} needs a value.`)
    return { op: name, ...(path === undefined ? {} : { path }), value }
  })
}

export function patchPerson(person: Person, operations: Operation[]): Person {
  const next = { ...person }
  for (const { op, path, value } of operations) {
    if (path === undefined) assign(next, objectOf(value, 'A value without a path'))
    else if (op === 'remove') take(next, attributeOf(path))
    else assign(next, { [attributeOf(path)]: value })
  }
  return next
}

export function patchTeam(team: Team, operations: Operation[]): Team {
  let next = { ...team }
  for (const { op, path, value } of operations) {
    if (path === undefined) for (const [name, inner] of Object.entries(objectOf(value, 'A value without a path'))) next = changeTeam(next, op, name, inner)
    else next = changeTeam(next, op, path, value)
  }
  return next
}

function changeTeam(team: Team, op: Operation['op'], path: string, value: unknown): Team {
  const [name, selected] = memberPath(path)
  if (unused.has(name)) return team
  if (name === 'displayname' && op !== 'remove') return { ...team, displayName: textOf(value, 'displayName') ?? team.displayName }
  if (name === 'externalid') return { ...team, externalId: op === 'remove' ? undefined : textOf(value, 'externalId') }
  if (name !== 'members') throw new ScimError(400, 'invalidPath', `"${path.slice(0, 60)}" cannot be changed.`)
  if (op === 'replace') return { ...team, members: memberIds(value) }
  if (op === 'add') return { ...team, members: withinLimit([...new Set([...team.members, ...memberIds(value)])]) }
  // Whole, by a filter in the path, or as Entra does by a value beside it.
  const gone = selected === undefined ? (value == null ? team.members : memberIds(value)) : [selected]
  return { ...team, members: team.members.filter((id) => !gone.includes(id)) }
}

function memberPath(path: string): [string, string | undefined] {
  const plain = path.replace(new RegExp(`^${groupSchema}:`, 'i'), '')
  const match = /^members\s*\[\s*value\s+eq\s+"([^"\\]{1,100})"\s*\]$/i.exec(plain)
  if (match) return ['members', match[1]]
  if (!/^[A-Za-z]+$/.test(plain)) throw new ScimError(400, 'invalidPath', `The path "${path.slice(0, 60)}" cannot be understood.`)
  return [plain.toLowerCase(), undefined]
}

function memberIds(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value]
  return withinLimit([
    ...new Set(
      list.map((each) => {
        const id = typeof each === 'string' ? each : objectOf(each, 'A member').value
        if (typeof id !== 'string' || id === '' || id.length > 100) throw new ScimError(400, 'invalidValue', 'A member has a value: the id of a User.')
        return id
      }),
    ),
  ])
}

function withinLimit(members: string[]): string[] {
  if (members.length > mostMembers) throw new ScimError(400, 'tooMany', `A group has ${mostMembers} members at most.`)
  return members
}

/** The attribute that a path leads to, in the flat form that `assign` takes. */
function attributeOf(path: string): string {
  if (path.toLowerCase().startsWith(enterprise)) return 'title'
  const plain = path.replace(new RegExp(`^${userSchema}:`, 'i'), '')
  if (/^emails(\s*\[[^\]]*\])?(\.value)?$/i.test(plain)) return 'emails'
  if (/^(phoneNumbers|addresses|ims|photos|roles|entitlements)\s*\[[^\]]*\](\.[A-Za-z]+)?$/i.test(plain)) return 'title'
  if (!/^[A-Za-z]+(\.[A-Za-z]+)?$/.test(plain)) throw new ScimError(400, 'invalidPath', `The path "${path.slice(0, 60)}" cannot be understood.`)
  return plain
}

function assign(person: Person, given: Record<string, unknown>): void {
  for (const [attribute, value] of Object.entries(given)) {
    const name = attribute.toLowerCase()
    if (name === 'username') person.userName = textOf(value, 'userName') ?? person.userName
    else if (name === 'externalid') setOrTake(person, 'externalId', textOf(value, 'externalId'))
    else if (name === 'displayname') setOrTake(person, 'displayName', textOf(value, 'displayName'))
    else if (name === 'name.formatted') person.displayName ??= textOf(value, 'name.formatted')
    else if (name === 'active') person.active = booleanOf(value)
    else if (name === 'emails') setOrTake(person, 'email', emailOf(value))
    else if (name === 'name') person.displayName ??= wholeName(objectOf(value, 'name'))
    else if (!unused.has(name) && !name.startsWith('name.') && !name.startsWith(enterprise)) throw new ScimError(400, 'invalidPath', `There is no attribute "${attribute.slice(0, 60)}".`)
  }
}

function take(person: Person, attribute: string): void {
  const name = attribute.toLowerCase()
  if (name === 'externalid') delete person.externalId
  else if (name === 'displayname') delete person.displayName
  else if (name === 'emails') delete person.email
  else if (name === 'username' || name === 'active') throw new ScimError(400, 'mutability', `${attribute} cannot be removed.`)
}

function setOrTake<K extends 'externalId' | 'displayName' | 'email'>(person: Person, name: K, value: Person[K]): void {
  if (value === undefined) delete person[name]
  else person[name] = value
}

/** Undefined for null and the empty string, which take a value away. */
function textOf(value: unknown, name: string): string | undefined {
  if (value === null || value === '') return undefined
  if (typeof value !== 'string' || value.length > longest || /\p{Cc}/u.test(value)) throw new ScimError(400, 'invalidValue', `${name} is a text of ${longest} characters at most.`)
  return value
}

/** Entra sends booleans as words. */
function booleanOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  throw new ScimError(400, 'invalidValue', 'active is true or false.')
}

function emailOf(value: unknown): string | undefined {
  if (typeof value === 'string') return address(value)
  if (value === null) return undefined
  const list = (Array.isArray(value) ? value : [value]).map((each) => objectOf(each, 'An e-mail'))
  const chosen = list.find(({ primary }) => primary === true || primary === 'true' || primary === 'True') ?? list[0]
  return chosen === undefined ? undefined : address(chosen.value)
}

function address(value: unknown): string | undefined {
  const text = textOf(value ?? null, 'An e-mail')
  if (text !== undefined && !/^[^\s@]+@[^\s@]+$/.test(text)) throw new ScimError(400, 'invalidValue', `"${text.slice(0, 60)}" is no e-mail address.`)
  return text
}

function wholeName({ formatted, givenName, familyName }: Record<string, unknown>): string | undefined {
  const parts = formatted ?? ([givenName, familyName].filter((part) => typeof part === 'string' && part !== '').join(' ') || null)
  return textOf(parts, 'name')
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ScimError(400, 'invalidSyntax', `${what} must be an object.`)
  return value as Record<string, unknown>
}

export interface Page {
  /** From 1. */
  startIndex: number
  count: number
}

const largestPage = 200
const defaultPage = 100

export function pageOf({ startIndex, count }: { startIndex?: string; count?: string }): Page {
  const whole = (text: string | undefined, fallback: number): number => {
    if (text === undefined) return fallback
    if (!/^-?\d{1,9}$/.test(text)) throw new ScimError(400, 'invalidValue', 'startIndex and count are whole numbers.')
    return Number(text)
  }
  return { startIndex: Math.max(1, whole(startIndex, 1)), count: Math.min(largestPage, Math.max(0, whole(count, defaultPage))) }
}
