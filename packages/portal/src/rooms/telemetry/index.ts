import { IconChartLine, IconListSearch } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const telemetry: PortalRoom = {
  name: 'telemetry',
  pages: [
    { path: '/explore/metrics', title: 'Metrics', load: () => import('./explorer.tsx'), navigation: { label: 'Metrics', icon: IconChartLine, section: 'work', key: 'm' } },
    { path: '/explore/logs', title: 'Logs', load: () => import('./logs/page.tsx'), navigation: { label: 'Logs', icon: IconListSearch, section: 'work' } },
  ],
  appTabs: [{ tab: 'logs', order: 20, label: 'Logs', load: () => import('./logs/tab.tsx') }],
  commands: [
    { label: 'Explore metrics', keywords: 'promql query chart prometheus', cli: 'pavior metrics list', run: (go) => go('/explore/metrics') },
    { label: 'Explore logs', keywords: 'search lines errors grep', cli: 'pavior logs --level error', run: (go) => go('/explore/logs') },
  ],
}
