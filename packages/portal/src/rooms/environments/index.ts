/** Where releases go and what holds them: the board of an app, what waits for approval, and freezes. */
import { IconChecks, IconSnowflake } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const environments: PortalRoom = {
  name: 'environments',
  pages: [
    { path: '/approvals', title: 'Approvals', load: () => import('./approvals.tsx'), navigation: { label: 'Approvals', icon: IconChecks, section: 'work', key: 'v' } },
    { path: '/freezes', title: 'Freezes', load: () => import('./freezes.tsx'), navigation: { label: 'Freezes', icon: IconSnowflake, section: 'work', key: 'z' } },
  ],
  appTabs: [{ tab: 'environments', order: 35, label: 'Environments', load: () => import('./board.tsx') }],
  commands: [
    { label: 'Approve a deployment', keywords: 'four eyes review', cli: 'pavior approve <deployment>', run: (go) => go('/approvals') },
    { label: 'Freeze changes', keywords: 'maintenance window holiday', cli: 'pavior apply -f <file>', visible: ({ admin, roles }) => admin || Object.values(roles).includes('admin'), run: (go) => go('/kinds/freezes/create') },
  ],
}
