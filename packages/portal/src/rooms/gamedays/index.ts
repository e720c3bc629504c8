/** Faults on purpose, to find out whether what is believed about an app holds. */
import { IconBolt } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const gamedays: PortalRoom = {
  name: 'gamedays',
  pages: [
    { path: '/gamedays', title: 'Game days', load: () => import('./gamedays.tsx'), navigation: { label: 'Game days', icon: IconBolt, section: 'work' } },
    { path: '/gamedays/$team/$name', title: ({ name }) => name ?? 'Game day', load: () => import('./gameday.tsx') },
  ],
  appTabs: [{ tab: 'gamedays', order: 55, label: 'Game days', load: () => import('./app-gamedays.tsx') }],
  resources: { gamedays: ({ metadata }) => `/gamedays/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}` },
  commands: [{ label: 'Inject faults on purpose', keywords: 'game day chaos latency errors kill exercise', cli: 'pavior gameday list', run: (go) => go('/gamedays') }],
}
