/** What the router cannot see: which parts of the platform need which. */
import { platformTeam } from '@pavior/contract'
import type { AppName } from '../../telemetry/index.ts'
import type { ObservedCalls } from '../incidents/ports.ts'
import { capabilities } from './capabilities.ts'

const needs = capabilities.flatMap(({ name, needs: others = [] }) => others.map((other) => ({ from: ofPlatform(name), to: ofPlatform(other), requests: 0, errors: 0, unknown: 0, lastSeenAt: new Date() })))

function ofPlatform(app: string): AppName {
  return { team: platformTeam, app }
}

function same(one: AppName, other: AppName): boolean {
  return one.team === other.team && one.app === other.app
}

/** The calls that were seen, and those among the platform's own parts. */
export function withOwnCalls({ calledBy, callsOf }: ObservedCalls): ObservedCalls {
  return {
    calledBy: async (app, since) => [...(await calledBy(app, since)), ...needs.filter(({ from }) => same(from, app)).map(({ to }) => to)],
    callsOf: async (apps, since) => [...(await callsOf(apps, since)), ...needs.filter(({ from, to }) => apps.some((app) => same(app, from) || same(app, to)))],
  }
}
