import type { PortalRoom } from '../../frame/room.ts'

export const operations: PortalRoom = {
  name: 'operations',
  appTabs: [
    { tab: 'logs', label: 'Logs', load: () => import('./logs.tsx') },
  ],
}
