import { IconApps, IconHome } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

const app = ({ app: name = '' }: Record<string, string>): string => name

export const catalog: PortalRoom = {
  name: 'catalog',
  pages: [
    { path: '/', title: 'Home', load: () => import('./home.tsx'), navigation: { label: 'Home', icon: IconHome, section: 'work', key: 'h' } },
    { path: '/apps', title: 'Apps', load: () => import('./apps.tsx'), navigation: { label: 'Apps', icon: IconApps, section: 'work', key: 'a' } },
    { path: '/apps/$team/$app', title: app, load: () => import('./app.tsx') },
    { path: '/apps/$team/$app/$tab', title: (params) => `${params.tab} · ${app(params)}`, load: () => import('./app.tsx') },
  ],
  appTabs: [{ tab: '', order: 0, label: 'Overview', load: () => import('./overview.tsx') }],
  resources: { apps: ({ metadata }) => `/apps/${metadata.namespace}/${metadata.name}` },
}
