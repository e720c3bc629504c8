/** Which faults are at work, and what is to be done for them. Pure. */
import { longestFaultMs, type Fault, type FaultTarget } from '@pavior/contract'

/** A signal that is due, or a burner that should be there. */
export interface Work {
  /** Names it, so that it is done once. */
  key: string
  fault: Fault
  target: FaultTarget
  kind: 'kill' | 'burn'
}

/** A fault that was given, and when it ends by this machine's own clock, which no setting of the time moves. */
export interface Given {
  fault: Fault
  endsAt: number
}

/** `leftMs` of a fault as it is given, bounded. */
export function leftMs({ until }: Fault, wallClockMs: number): number {
  const left = Date.parse(until) - wallClockMs
  return Number.isFinite(left) ? Math.min(Math.max(0, left), longestFaultMs) : 0
}

/** A fault that is given again keeps its end, unless it ends sooner now. */
export function taken(before: ReadonlyMap<string, Given>, faults: readonly Fault[], now: number, wallClockMs: number): Map<string, Given> {
  return new Map(
    faults.map((fault) => {
      const endsAt = now + leftMs(fault, wallClockMs)
      return [fault.id, { fault, endsAt: Math.min(endsAt, before.get(fault.id)?.endsAt ?? endsAt) }]
    }),
  )
}

export function activeOf(given: ReadonlyMap<string, Given>, now: number): Fault[] {
  return [...given.values()].filter(({ endsAt }) => endsAt > now).map(({ fault }) => fault)
}

export function workOf(active: readonly Fault[]): Work[] {
  return active.flatMap((fault) => {
    const burdened = fault.cpu ?? fault.memory
    const of = (kind: Work['kind'], targets: readonly FaultTarget[]): Work[] => targets.map((target) => ({ key: `${fault.id}/${target.instance}/${target.startedAt}`, fault, target, kind }))
    return [...of('kill', fault.kill?.targets ?? []), ...of('burn', burdened?.targets ?? [])]
  })
}

/** When the next of them ends; undefined when none is at work. */
export function nextEnd(given: ReadonlyMap<string, Given>, now: number): number | undefined {
  const ends = [...given.values()].map(({ endsAt }) => endsAt).filter((at) => at > now)
  return ends.length > 0 ? Math.min(...ends) : undefined
}

/** Bytes to take so that this share of the limit is in use. */
export function bytesToTake(percent: number, limitBytes: number, usedBytes: number): number {
  return Math.max(0, Math.floor((limitBytes * percent) / 100 - usedBytes))
}
