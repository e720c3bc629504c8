import { IconApps, IconHome } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const catalog: PortalRoom = {
  name: 'catalog',
  pages: [
    { path: '/', title: 'Home', load: () => import('./home.tsx'), navigation: { label: 'Home', icon: IconHome, section: 'work', key: 'h' } },
    { path: '/apps', title: 'Apps', load: () => import('./apps.tsx'), navigation: { label: 'Apps', icon: IconApps, section: 'work', key: 'a' } },
  ],
}
