/** What is in artifacts, who made them from what, and what is known to be wrong with them. */
import { IconShieldSearch } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const artifacts: PortalRoom = {
  name: 'artifacts',
  pages: [{ path: '/advisories', title: 'Advisories', load: () => import('./advisories.tsx'), navigation: { label: 'Advisories', icon: IconShieldSearch, section: 'platform' } }],
  appTabs: [{ tab: 'artifact', order: 15, label: 'Artifact', load: () => import('./artifact.tsx') }],
}
