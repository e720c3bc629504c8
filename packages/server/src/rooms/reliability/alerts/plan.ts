/** Which members of a condition hold, fire and end. Pure. */
import { createHash } from 'node:crypto'

/** A series for which the condition holds, or does not let go of it yet. */
export interface Sample {
  labels: Record<string, string>
  value?: number
  /** What is so, in a sentence; made of the rule otherwise. */
  text?: string
  /** False in the band of hysteresis: what fires goes on, and nothing begins. */
  holds: boolean
}

/** Times are milliseconds since the epoch. */
export interface Member {
  fingerprint: string
  group: string
  labels: Record<string, string>
  state: 'Pending' | 'Firing'
  since: number
  firedAt?: number
  /** Since when it does not hold any more; only of what fires. */
  falseSince?: number
  value?: number
  text?: string
}

export interface MemberSettings {
  forMs: number
  /** How long what fires goes on without holding, by group: longer where it comes and goes. */
  keepMs: (group: string) => number
  groupBy: readonly string[]
}

export interface MemberPlan {
  members: Member[]
  written: Member[]
  /** Fingerprints. */
  ended: string[]
  /** Samples beyond what is followed. */
  leftOut: number
}

export const mostMembers = 10_000
export const mostGroups = 20
/** Members of all groups beyond those that are kept apart. */
export const otherGroups = '…'

export function fingerprintOf(labels: Record<string, string>): string {
  return createHash('sha256').update(JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)))).digest('hex').slice(0, 32)
}

export function planMembers(before: readonly Member[], samples: readonly Sample[], settings: MemberSettings, now: number): MemberPlan {
  const known = new Map(before.map((member) => [member.fingerprint, inTime(member, now)]))
  const seen = new Map<string, Sample>()
  for (const sample of samples) seen.set(fingerprintOf(sample.labels), sample)
  const groups = new Set(before.map(({ group }) => group))
  const plan: MemberPlan = { members: [], written: [], ended: [], leftOut: 0 }
  for (const old of before) {
    const member = moved(known.get(old.fingerprint)!, seen.get(old.fingerprint), settings, now)
    if (!member) plan.ended.push(old.fingerprint)
    else plan.members.push(member)
    if (member && differs(member, old)) plan.written.push(member)
  }
  for (const [fingerprint, { labels, value, text, holds }] of seen) {
    if (known.has(fingerprint) || !holds) continue
    if (plan.members.length >= mostMembers) {
      plan.leftOut++
      continue
    }
    const group = groupOf(labels, settings.groupBy, groups)
    groups.add(group)
    const fires = settings.forMs === 0
    const member: Member = { fingerprint, group, labels, state: fires ? 'Firing' : 'Pending', since: now, ...(fires ? { firedAt: now } : {}), ...(value === undefined ? {} : { value }), ...(text === undefined ? {} : { text }) }
    plan.members.push(member)
    plan.written.push(member)
  }
  return plan
}

/** After a step of the clock backwards nothing began in the future. */
function inTime(member: Member, now: number): Member {
  if (member.since <= now && (member.falseSince ?? 0) <= now && (member.firedAt ?? 0) <= now) return member
  return { ...member, since: Math.min(member.since, now), ...(member.firedAt === undefined ? {} : { firedAt: Math.min(member.firedAt, now) }), ...(member.falseSince === undefined ? {} : { falseSince: Math.min(member.falseSince, now) }) }
}

/** Undefined: it has ended. */
function moved(member: Member, sample: Sample | undefined, { forMs, keepMs }: MemberSettings, now: number): Member | undefined {
  if (member.state === 'Pending') {
    if (!sample?.holds) return undefined
    return now - member.since >= forMs ? { ...member, state: 'Firing', firedAt: now, ...(sample.value === undefined ? {} : { value: sample.value }), ...(sample.text === undefined ? {} : { text: sample.text }) } : member
  }
  if (sample) {
    const { falseSince: _, ...firing } = member
    return member.falseSince === undefined ? member : firing
  }
  const falseSince = member.falseSince ?? now
  return now - falseSince >= keepMs(member.group) ? undefined : { ...member, falseSince }
}

function differs(one: Member, other: Member): boolean {
  return one.state !== other.state || one.since !== other.since || one.firedAt !== other.firedAt || one.falseSince !== other.falseSince
}

/** Group of a member by labels; what is beyond the groups that are kept apart goes together. */
export function groupOf(labels: Record<string, string>, groupBy: readonly string[], known: ReadonlySet<string>): string {
  const group = groupBy.map((name) => `${name}=${labels[name] ?? ''}`).join(',').slice(0, 500)
  return known.has(group) || known.size < mostGroups ? group : otherGroups
}
