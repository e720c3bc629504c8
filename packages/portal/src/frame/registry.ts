/** What all rooms of the portal bring, for those parts that rooms use themselves. Filled once, before the first page. */
import type { Named, Page, PortalRoom } from './room.ts'
import type { Session } from './session.ts'

let all: PortalRoom[] = []

export function registerRooms(rooms: PortalRoom[]): void {
  all = rooms
}

export function registeredRooms(): PortalRoom[] {
  return all
}

export type Place = Page & { navigation: NonNullable<Page['navigation']> }

/** The pages of the navigation that this person sees, in the order of the rooms. */
export function places(session: Session): Place[] {
  return all.flatMap(({ pages = [] }) => pages).filter((page): page is Place => page.navigation !== undefined && (page.navigation.visible?.(session) ?? true))
}

/** In a path, for kinds that live in no team. No team can have this name. */
export const noTeam = '-'

/** Where a resource is shown: the page of its room, else the generic one. */
export function resourceHref(plural: string, resource: Named): string {
  for (const { resources } of all) {
    const own = resources?.[plural]?.(resource)
    if (own !== undefined) return own
  }
  return genericHref(plural, resource.metadata.namespace, resource.metadata.name)
}

/** The page that every resource has, whatever its kind. */
export function genericHref(plural: string, team: string | undefined, name: string): string {
  return `/kinds/${encodeURIComponent(plural)}/${encodeURIComponent(team ?? noTeam)}/${encodeURIComponent(name)}`
}
