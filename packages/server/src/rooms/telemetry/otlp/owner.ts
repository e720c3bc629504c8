/** Whose telemetry it is: of the app whose token it is, otherwise of the app that headers or the resource name, where the sender may write it. */
import { fail } from '@pavior/contract'
import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Instances, Sender, Senders } from '../ports.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends telemetry: an app, or somebody for an app. */
    telemetrySender?: Sender | { actor: Actor }
  }
}

/** What the platform itself knows of whoever sent. */
export interface Owner extends Sender {
  /** Of an instance that runs. */
  instance?: string
  release?: string
  process?: string
}

export interface OwnerDeps {
  senders: Senders
  resources: Pick<Resources, 'mustGet'>
  instances: Instances
}

/** `attributes`: of the resource. Throws BAD_REQUEST, FORBIDDEN, NOT_FOUND. */
export async function ownerOf({ telemetrySender, headers }: FastifyRequest, attributes: ReadonlyMap<string, string>, { senders, resources, instances }: OwnerDeps): Promise<Owner> {
  const instance = attributes.get('service.instance.id')
  if (telemetrySender && !('actor' in telemetrySender)) return { ...telemetrySender, ...knownInstance(instances, telemetrySender, instance) }
  const { actor } = telemetrySender!
  const named = (header: string, attribute: string): string | undefined => {
    const given = headers[header]
    return typeof given === 'string' && given !== '' ? given : attributes.get(attribute)
  }
  const [team, app, environment] = [named('pavior-team', 'service.namespace'), named('pavior-app', 'service.name'), named('pavior-environment', 'deployment.environment.name')]
  if (!team || !app) throw fail('BAD_REQUEST', { message: 'It is not said which app the telemetry is of.', fix: 'Send the headers Pavior-Team and Pavior-App, or the resource attributes service.namespace and service.name.' })
  if (!senders.mayWrite(actor, team, app)) throw fail('FORBIDDEN', { message: `${actor.name} may not send telemetry for ${team}/${app}.` })
  await resources.mustGet(actor, { kind: 'App', namespace: team, name: app })
  const sender = { team, app, environment: environment ?? senders.defaultEnvironment(team) }
  return { ...sender, ...knownInstance(instances, sender, instance) }
}

/** An instance that says its name is believed when one of this name runs there. */
function knownInstance(instances: Instances, { team, app, environment }: Sender, id: string | undefined): Pick<Owner, 'instance' | 'release' | 'process'> {
  const found = id === undefined ? undefined : instances.known().find((one) => one.id === id && one.team === team && one.app === app && one.environment === environment)
  return found ? { instance: found.id, release: String(found.release), process: found.process } : {}
}
