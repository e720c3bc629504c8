/** The rooms of the portal, in the order of the navigation. A new room is one line here and one folder beside. */
import type { PortalRoom } from '../frame/room.ts'
import { catalog } from './catalog/index.ts'
import { gallery } from './gallery/index.ts'
import { kinds } from './kinds/index.ts'
import { templates } from './templates/index.ts'

export const rooms: PortalRoom[] = [catalog, templates, kinds, gallery]
