/** Dashboards: three that every team has, and those that teams save. */
import { IconLayoutDashboard } from '@tabler/icons-react'
import type { PortalRoom } from '../../../frame/room.ts'

export const dashboards: PortalRoom = {
  name: 'dashboards',
  pages: [
    { path: '/dashboards', title: 'Dashboards', load: () => import('./list.tsx'), navigation: { label: 'Dashboards', icon: IconLayoutDashboard, section: 'work', key: 'D' } },
    { path: '/dashboards/$team/$name', title: ({ name }) => name ?? 'Dashboard', load: () => import('./page.tsx') },
  ],
  resources: { dashboards: ({ metadata }) => `/dashboards/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}` },
  commands: [{ label: 'See dashboards', keywords: 'executive on-call debug grafana panels charts', cli: 'pavior dashboard list', run: (go) => go('/dashboards') }],
}
