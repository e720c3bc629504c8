/** Door of room routing: which hosts lead where. */
import { route } from './kinds.ts'

export { hostsOf, wantedRoutes, type HostPolicy, type WantedRoute } from './plan.ts'
export const kinds = [route]
