/** The rooms of the portal, in the order of the navigation. A new room is one line here and one folder beside. */
import type { PortalRoom } from '../frame/room.ts'
import { artifacts } from './artifacts/index.ts'
import { catalog } from './catalog/index.ts'
import { delivery } from './delivery/index.ts'
import { entities } from './entities/index.ts'
import { environments } from './environments/index.ts'
import { gallery } from './gallery/index.ts'
import { gitops } from './gitops/index.ts'
import { identity } from './identity/index.ts'
import { kinds } from './kinds/index.ts'
import { operations } from './operations/index.ts'
import { policy } from './policy/index.ts'
import { reliability } from './reliability/index.ts'
import { secrets } from './secrets/index.ts'
import { telemetry } from './telemetry/index.ts'
import { templates } from './templates/index.ts'

export const rooms: PortalRoom[] = [catalog, templates, entities, delivery, telemetry, reliability, environments, gitops, secrets, artifacts, policy, operations, identity, kinds, gallery]
