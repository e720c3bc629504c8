/** Where releases go and what holds them: the board of an app, what waits for approval, and freezes. */
import { IconChecks, IconGitBranch, IconSnowflake } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const environments: PortalRoom = {
  name: 'environments',
  pages: [
    { path: '/approvals', title: 'Approvals', load: () => import('./approvals.tsx'), navigation: { label: 'Approvals', icon: IconChecks, section: 'work', key: 'v' } },
    { path: '/previews', title: 'Previews', load: () => import('./previews.tsx'), navigation: { label: 'Previews', icon: IconGitBranch, section: 'work', key: 'e' } },
    { path: '/freezes', title: 'Freezes', load: () => import('./freezes.tsx'), navigation: { label: 'Freezes', icon: IconSnowflake, section: 'work', key: 'z' } },
  ],
  appTabs: [{ tab: 'environments', order: 35, label: 'Environments', load: () => import('./board.tsx') }],
  commands: [
    { label: 'Approve a deployment', keywords: 'four eyes review', cli: 'pavior approve <deployment>', run: (go) => go('/approvals') },
    { label: 'See previews of branches', keywords: 'environment branch sleep wake', cli: 'pavior previews list', run: (go) => go('/previews') },
    { label: 'Freeze changes', keywords: 'maintenance window holiday', cli: 'pavior apply -f <file>', visible: ({ admin, roles }) => admin || Object.values(roles).includes('admin'), run: (go) => go('/kinds/freezes/create') },
  ],
}
