import { IconHistory, IconServer } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const operations: PortalRoom = {
  name: 'operations',
  pages: [
    { path: '/audit', title: 'Audit', load: () => import('./audit.tsx'), navigation: { label: 'Audit', icon: IconHistory, section: 'platform', key: 'u', visible: ({ admin, roles, grants = [] }) => admin || Object.values(roles).includes('admin') || grants.some(({ role }) => role === 'auditor') } },
    { path: '/platform', title: 'Platform', load: () => import('./platform.tsx'), navigation: { label: 'Platform', icon: IconServer, section: 'platform', key: 'l', visible: ({ admin }) => admin } },
  ],
  appTabs: [
    { tab: 'processes', order: 25, label: 'Processes', load: () => import('./processes.tsx') },
    { tab: 'configuration', order: 30, label: 'Configuration', load: () => import('./configuration.tsx') },
    { tab: 'settings', order: 90, label: 'Settings', load: () => import('./settings.tsx') },
  ],
}
