import { IconChartLine } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const telemetry: PortalRoom = {
  name: 'telemetry',
  pages: [{ path: '/explore/metrics', title: 'Metrics', load: () => import('./explorer.tsx'), navigation: { label: 'Metrics', icon: IconChartLine, section: 'work', key: 'm' } }],
  commands: [{ label: 'Explore metrics', keywords: 'promql query chart prometheus', cli: 'pavior metrics list', run: (go) => go('/explore/metrics') }],
}
