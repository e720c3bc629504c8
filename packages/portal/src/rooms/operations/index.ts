import type { PortalRoom } from '../../frame/room.ts'

export const operations: PortalRoom = {
  name: 'operations',
  appTabs: [
    { tab: 'logs', label: 'Logs', load: () => import('./logs.tsx') },
    { tab: 'processes', label: 'Processes', load: () => import('./processes.tsx') },
    { tab: 'configuration', label: 'Configuration', load: () => import('./configuration.tsx') },
    { tab: 'environments', label: 'Environments', load: () => import('./environments.tsx') },
    { tab: 'settings', label: 'Settings', load: () => import('./settings.tsx') },
  ],
}
